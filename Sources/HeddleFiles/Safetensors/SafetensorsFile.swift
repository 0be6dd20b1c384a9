/// Owns one mapped or copied safetensors file whose header was checked whole: every tensor lies inside the file, has as many bytes
/// as its shape says, shares none of them, and none are left over.
struct SafetensorsFile: Sendable {
    let file: MappedFile
    /// In the order of their bytes.
    let tensors: [TensorView]

    init(
        path: String, limits: SafetensorsLimits = SafetensorsLimits(), byteCountMax: Int = .max,
        use: MappedFile.Use = .mapped
    ) throws(SafetensorsError) {
        do { file = try MappedFile(path: path, byteCountMax: byteCountMax, use: use) } catch { throw .file(error) }
        let header = try Self.header(of: file, limits: limits)
        tensors = try Self.tensors(of: file, header: header, limits: limits)
    }

    private struct Header {
        let entries: JSONObject
        /// Where the data begins, in bytes from the start of the file.
        let dataOffset: Int
    }

    private static func header(of file: MappedFile, limits: SafetensorsLimits) throws(SafetensorsError) -> Header {
        try file.withUnsafeBytes { (bytes) throws(SafetensorsError) in
            guard bytes.count >= 8 else { throw .tooShort(file: file.path, byteCount: bytes.count) }
            let count = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            guard count <= UInt64(limits.headerByteCountMax) else {
                throw .headerTooLong(file: file.path, byteCount: count, byteCountMax: limits.headerByteCountMax)
            }
            let dataOffset = 8 + Int(count)
            guard dataOffset <= bytes.count else {
                throw .headerTruncated(file: file.path, headerByteCount: count, fileByteCount: bytes.count)
            }
            var json = JSONLimits()
            json.depthMax = 4
            let value: JSONValue
            do throws(JSONError) {
                value = try JSONParser.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<dataOffset]), limits: json)
            } catch { throw .headerNotJSON(file: file.path, error) }
            guard case .object(let entries) = value else {
                throw .headerMalformed(file: file.path, entry: "", reason: "the header is no object")
            }
            return Header(entries: entries, dataOffset: dataOffset)
        }
    }

    private static func tensors(
        of file: MappedFile, header: Header, limits: SafetensorsLimits
    ) throws(SafetensorsError) -> [TensorView] {
        let dataByteCount = file.byteCount - header.dataOffset
        var found: [(begin: Int, end: Int, view: TensorView)] = []
        for member in header.entries.members {
            if member.key.equals("__metadata__") {
                guard case .object(let notes) = member.value, notes.members.allSatisfy({ $0.value.text != nil }) else {
                    throw .headerMalformed(file: file.path, entry: "__metadata__", reason: "it maps texts to texts")
                }
                continue
            }
            found.append(try tensor(member, of: file, header: header, dataByteCount: dataByteCount, limits: limits))
        }
        // Tensors without bytes first where several begin at one place.
        found.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
        var reached = 0
        var last = ""
        for (begin, end, view) in found {
            guard begin >= reached else {
                throw .extentsOverlap(file: file.path, tensor: view.name, begin: begin, other: last, otherEnd: reached)
            }
            guard begin == reached else {
                throw .extentsLeaveGap(file: file.path, tensor: view.name, begin: begin, beginExpected: reached)
            }
            reached = end
            last = view.name
        }
        guard reached == dataByteCount else {
            throw .trailingBytes(file: file.path, byteCount: dataByteCount - reached)
        }
        return found.map(\.view)
    }

    private static func tensor(
        _ member: JSONObject.Member, of file: MappedFile, header: Header, dataByteCount: Int, limits: SafetensorsLimits
    ) throws(SafetensorsError) -> (begin: Int, end: Int, view: TensorView) {
        let name = member.key.description
        func malformed(_ reason: String) -> SafetensorsError {
            .headerMalformed(file: file.path, entry: name, reason: reason)
        }
        guard case .object(let entry) = member.value else { throw malformed("it is no object") }
        for field in entry.members where !["dtype", "shape", "data_offsets"].contains(where: { field.key.equals($0) }) {
            throw malformed("the field “\(field.key)” is unknown")
        }
        guard let typeName = entry["dtype"]?.text else { throw malformed("“dtype” is missing or no text") }
        guard let type = ElementType(rawValue: typeName) else {
            throw .unknownElementType(file: file.path, tensor: name, elementType: typeName)
        }
        guard let sizes = entry["shape"]?.array else { throw malformed("“shape” is missing or no list") }
        guard sizes.count <= limits.dimensionCountMax else {
            throw .tooManyDimensions(
                file: file.path, tensor: name, count: sizes.count, countMax: limits.dimensionCountMax)
        }
        var shape: [Int] = []
        for size in sizes {
            guard let number = size.integer, number >= 0 else { throw malformed("\(size) is no size of a dimension") }
            shape.append(number)
        }
        guard let offsets = entry["data_offsets"]?.array, offsets.count == 2, let begin = offsets[0].integer,
            let end = offsets[1].integer, begin >= 0, end >= 0
        else { throw malformed("“data_offsets” is missing or not two byte offsets") }
        guard begin <= end else { throw .extentReversed(file: file.path, tensor: name, begin: begin, end: end) }
        guard end <= dataByteCount else {
            throw .extentOutOfRange(
                file: file.path, tensor: name, begin: begin, end: end, dataByteCount: dataByteCount)
        }
        var byteCount = type.byteCount
        for size in shape {
            let product = byteCount.multipliedReportingOverflow(by: size)
            guard !product.overflow else { throw .sizeOverflow(file: file.path, tensor: name, shape: shape) }
            byteCount = product.partialValue
        }
        guard byteCount == end - begin else {
            throw .extentMismatch(
                file: file.path, tensor: name, shape: shape, elementType: type, byteCount: end - begin,
                byteCountExpected: byteCount)
        }
        let offset = header.dataOffset + begin
        guard offset % type.byteCount == 0 else {
            throw .extentMisaligned(file: file.path, tensor: name, fileOffset: offset, elementType: type)
        }
        let view = TensorView(
            name: name, elementType: type, shape: shape, file: file, byteOffset: offset, byteCount: byteCount)
        return (begin, end, view)
    }
}
