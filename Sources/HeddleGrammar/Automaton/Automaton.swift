/// What a schema compiles to: a pushdown automaton over bytes. A value is read in a frame of its own, which has a node and one
/// small counter; the values inside it are read in frames above.
///
/// Whatever it lets begin can be finished: with the bytes that it was made for, and within the depth.
public struct Automaton: Sendable {
    /// A place in a rule.
    struct Node: Sendable {
        /// By ascending bytes; several may hold for one byte.
        var edges: Range<Int32> = 0..<0
        /// Nodes that are reached without a byte.
        var steps: [Int32] = []
        /// Where the rule starts whose value comes next, in a frame above; its frame goes on at `next`. -1 for none.
        var call: Int32 = -1
        var next: Int32 = -1
        /// Whether the frame may end here.
        var isEnd = false
        /// Whether white space may stand here.
        var allowsSpace = false
        /// Frames that will be needed above this one.
        var need: Int32 = 0
    }

    struct Edge: Sendable {
        var lower: UInt8
        var upper: UInt8
        var target: Int32
        /// Index of a guard; -1 for none.
        var guardIndex: Int32 = -1
        var counting = Counting.keep
    }

    /// What an edge does to its frame's counter.
    enum Counting: Hashable, Sendable {
        case keep
        case set(Int32)
        /// One more, up to the number behind which more makes no difference.
        case count(upTo: Int32)
    }

    /// An edge is open where one row holds: the counter within bounds, and so many frames left above.
    struct GuardRow: Hashable, Sendable {
        var lower: Int32
        var upper: Int32
        var need: Int32
    }

    var nodes: [Node] = []
    var edges: [Edge] = []
    var guards: [[GuardRow]] = []
    /// Nodes below belong to rules that every automaton of the same bytes has alike.
    var sharedNodeCount = 0
    var start: Int32 = 0
    /// Inside strings, where nearly every token may stand.
    var contentNodes: [Int32] = []
    let limits: GrammarLimits

    /// The largest need of any node or guard.
    var needMax: Int32 { max(nodes.map(\.need).max() ?? 0, guards.joined().map(\.need).max() ?? 0) }

    /// Frames above each other at most: one for the whole, one for each nested value, one for the string within.
    var frameCountMax: Int32 { Int32(limits.depthMax) + 2 }
}
