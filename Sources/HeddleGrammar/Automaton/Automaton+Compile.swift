import HeddleCore
import HeddleFiles

extension Automaton {
    /// Compiles a constraint; pure, and within the limits whatever the schema says.
    ///
    /// - Parameter bytes: that can be written one by one; everything can be finished with them alone.
    public init(
        _ constraint: OutputConstraint, bytes: SpelledBytes = .all, limits: GrammarLimits = GrammarLimits()
    ) throws(SchemaError) {
        let reader: SchemaReader
        switch constraint {
        case .jsonObject:
            reader = SchemaReader(
                root: .object(
                    JSONObject(members: [
                        JSONObject.Member(key: JSONString("type"), value: .string(JSONString("object")))
                    ])), limits: limits)
        case .jsonSchema(let text): reader = try SchemaReader(text: Array(text.utf8), limits: limits)
        }
        if let missing = (UInt8(0x20)...0x7E).first(where: { !bytes.set.contains($0) }) {
            throw .vocabularyLacks(byte: missing)
        }
        var planner = try RulePlanner(reader, limits: limits, bytes: bytes.set)
        let root = try planner.plan("")
        var builder = try AutomatonBuilder(rules: planner.rules, bytes: bytes.set, limits: limits)
        self = try builder.build(root: root)
    }
}

/// The bytes for each of which a vocabulary has a token.
public struct SpelledBytes: Hashable, Sendable {
    var set: ByteSet

    /// Every byte: what a schema is checked with where no vocabulary is at hand.
    public static let all = SpelledBytes(set: .all)
}
