/// Every maximum of a constraint, with its unit in the name. They bound what one request may cost to compile and to hold.
public struct GrammarLimits: Hashable, Sendable {
    /// Text of a schema.
    public var schemaByteCountMax = 256 << 10
    /// Nesting of the schema itself.
    public var schemaDepthMax = 64
    /// Values in a schema's text.
    public var schemaValueCountMax = 32 << 10
    /// Distinct subschemas after `$ref`, `allOf` and `anyOf` are taken apart.
    public var ruleCountMax = 4096
    /// Ways to satisfy one subschema, after `anyOf` is multiplied out.
    public var alternativeCountMax = 256
    /// States of one pattern, format, number range or enumeration.
    public var machineStateCountMax = 16384
    /// States of the whole automaton.
    public var nodeCountMax = 64 << 10
    /// Values inside each other in an answer; a nested container is written only as far as it can still be closed within it.
    public var depthMax = 64
    /// White space in a row between the parts of an answer, in bytes, so that none is padded for ever.
    public var spaceByteCountMax = 64
    /// Ways to read what was written so far that are followed at a time, which only an ambiguous `anyOf` needs.
    public var readingCountMax = 512

    public init() {}
}
