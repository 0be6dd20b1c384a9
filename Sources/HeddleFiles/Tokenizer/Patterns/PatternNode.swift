/// A pattern as it was read.
indirect enum PatternNode: Sendable {
    /// One scalar out of a set, by its place in the list of sets.
    case set(Int)
    case sequence([PatternNode])
    /// The first that lets the whole match is taken.
    case alternatives([PatternNode])
    case repeated(PatternNode, min: Int, max: Int?, Preference)
    /// What follows must match, or must not, and stays where it is.
    case look(PatternNode, isNegated: Bool)
    /// The scalar before must belong to a set, or must not; there may be none.
    case behind(Int, isNegated: Bool)
    case boundary(Boundary)

    enum Preference: Sendable {
        case greedy
        case lazy
        /// As many as there are, and never fewer.
        case possessive
    }

    enum Boundary: Int32, Sendable {
        case textStart
        case textEnd
        case lineStart
        case lineEnd
        case word
        case noWord
    }

    /// Whether the empty text matches.
    var isNullable: Bool {
        switch self {
        case .set: false
        case .sequence(let nodes): nodes.allSatisfy(\.isNullable)
        case .alternatives(let nodes): nodes.contains(where: \.isNullable)
        case .repeated(let node, let min, _, _): min == 0 || node.isNullable
        case .look, .behind, .boundary: true
        }
    }
}

/// Why a pattern is not run.
package struct PatternError: Error, Hashable, Sendable {
    /// What is not understood, and where.
    package let reason: String
}
