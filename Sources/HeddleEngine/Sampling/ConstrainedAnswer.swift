import HeddleCore
import HeddleGrammar

/// Owns how far one sequence's answer has come in its constraint, token by token.
public struct ConstrainedAnswer: Sendable {
    private let matcher: ConstraintMatcher
    /// A function of the constraint and of the tokens (law 1).
    public private(set) var state: ConstraintState

    /// What stands behind the tokens of earlier attempts; nil where they break the constraint, which tokens drawn under it never
    /// do.
    public init?(_ matcher: ConstraintMatcher, generated: [TokenID] = []) {
        self.matcher = matcher
        state = matcher.start
        for token in generated {
            guard let next = matcher.state(after: token, from: state) else { return nil }
            state = next
        }
    }

    /// Which tokens may come next.
    var mask: TokenMask { matcher.mask(of: state) }

    /// A token was drawn. One that ends the answer changes nothing.
    mutating func append(_ token: TokenID) {
        if let next = matcher.state(after: token, from: state) { state = next }
    }
}
