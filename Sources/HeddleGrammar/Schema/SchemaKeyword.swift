/// The keywords that are known. Every other one is refused by name: a keyword that is not enforced would be a promise broken.
///
/// `Docs/STRUCTURED.md` lists them, and a test holds it to this.
public enum SchemaKeyword {
    /// What is enforced.
    public static let enforced: Set<String> = [
        "type", "enum", "const", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems",
        "maxItems", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "anyOf", "oneOf", "allOf", "$ref",
    ]
    /// What says nothing about which values are valid; ignored by design.
    public static let annotations: Set<String> = [
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema",
        "$id", "$defs", "definitions",
    ]
    /// The values of `format` that are enforced; others are refused by name.
    public static var formats: [String] { StringFormat.allCases.map(\.rawValue) }
}
