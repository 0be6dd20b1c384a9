/// What an answer must be, whatever the model would rather say. Part of what decides a request (law 1).
public enum OutputConstraint: Hashable, Sendable {
    /// One JSON object.
    case jsonObject
    /// One JSON value that satisfies this JSON Schema, given as its text.
    case jsonSchema(String)
}
