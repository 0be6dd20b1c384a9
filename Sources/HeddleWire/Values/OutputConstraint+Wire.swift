import HeddleCore

/// Decoding checks the form alone: whether a schema can be enforced is for the grammar to say.
extension OutputConstraint: WireCodable {
    public static var wireByteCountMin: Int { 1 }

    public func encode(into writer: inout WireWriter) {
        switch self {
        case .jsonObject: writer.write(byte: 1)
        case .jsonSchema(let text):
            writer.write(byte: 2)
            text.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1: self = .jsonObject
        case 2: self = .jsonSchema(try String(from: &reader))
        default: throw reader.unknownCase(of: "OutputConstraint", tag: tag)
        }
    }
}
