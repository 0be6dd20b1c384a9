import HeddleCore

/// A name on the wire is its text, and is refused when it could not stand in a cluster file.
public protocol WireName: Name, WireCodable {}

extension WireName {
    public static var wireByteCountMin: Int { 5 }

    public func encode(into writer: inout WireWriter) { writer.write(text) }

    public init(from reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let text = try reader.readText(byteCountMax: Self.byteCountMax)
        guard Self.isValid(text) else {
            throw reader.outOfRange(
                "name", rule: "1 to \(Self.byteCountMax) bytes of letters, digits, “-”, “_”, “.”", start: start)
        }
        self.init(text)
    }
}

extension NodeName: WireName {}
extension TenantName: WireName {}
extension ModelName: WireName {}
extension AdapterName: WireName {}
extension GroupName: WireName {}
