/// Reads one JSON text strictly (RFC 8259) and within limits: no byte makes it trap, and every complaint has its place.
public enum JSONParser {
    /// Reads a whole text.
    public static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            var scan = JSONScan(bytes: buffer, limits: limits)
            return try scan.document()
        }
    }

    /// Reads a whole text out of memory that is only borrowed.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        // Safety: the scan ends before this call does, and a file's bytes are initialised.
        try bytes.withMemoryRebound(to: UInt8.self) { (buffer) throws(JSONError) in
            var scan = JSONScan(bytes: buffer, limits: limits)
            return try scan.document()
        }
    }
}

/// Owns the position of one pass over a JSON text.
// Safety: `bytes[position]` is only read below a check of `position < bytes.count`.
private struct JSONScan {
    let bytes: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    var position = 0
    var valueCount = 0

    init(bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.byteCountMax else {
            throw failure(.tooLong(byteCountMax: limits.byteCountMax), at: 0)
        }
        let result = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure(.trailingText, at: position) }
        return result
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < limits.depthMax else { throw failure(.tooDeep(depthMax: limits.depthMax), at: position) }
        valueCount += 1
        guard valueCount <= limits.valueCountMax else {
            throw failure(.tooManyValues(valueCountMax: limits.valueCountMax), at: position)
        }
        let byte = try peekPastSpace()
        switch byte {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: throw failure(.unexpectedByte(byte, expected: "a value"), at: position)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        position += 1
        var members: [JSONObject.Member] = []
        // Small objects are compared pairwise; a vocabulary needs the set.
        var keys: Set<JSONString> = []
        if try peekPastSpace() == UInt8(ascii: "}") {
            position += 1
            return JSONObject(members: [])
        }
        while true {
            let first = try peekPastSpace()
            guard first == UInt8(ascii: "\"") else {
                throw failure(.unexpectedByte(first, expected: "a key"), at: position)
            }
            let keyOffset = position
            let key = try string()
            if members.count == 16 { for member in members { keys.insert(member.key) } }
            let isNew = members.count < 16 ? !members.contains { $0.key == key } : keys.insert(key).inserted
            guard isNew else { throw failure(.duplicateKey(key.description), at: keyOffset) }
            try expect(UInt8(ascii: ":"), "“:”")
            members.append(JSONObject.Member(key: key, value: try value(depth: depth + 1)))
            if try endsList(with: UInt8(ascii: "}"), "“,” or “}”") { return JSONObject(members: members) }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        position += 1
        if try peekPastSpace() == UInt8(ascii: "]") {
            position += 1
            return []
        }
        var elements: [JSONValue] = []
        while true {
            elements.append(try value(depth: depth + 1))
            if try endsList(with: UInt8(ascii: "]"), "“,” or “]”") { return elements }
        }
    }

    private mutating func endsList(with end: UInt8, _ expected: String) throws(JSONError) -> Bool {
        let byte = try peekPastSpace()
        guard byte == end || byte == UInt8(ascii: ",") else {
            throw failure(.unexpectedByte(byte, expected: expected), at: position)
        }
        position += 1
        return byte == end
    }

    private mutating func string() throws(JSONError) -> JSONString {
        position += 1
        let start = position
        var resolved: [UInt8]?
        var segment = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let tail = UnsafeBufferPointer(rebasing: bytes[segment..<position])
                if let broken = UTF8Check.firstInvalid(tail) { throw failure(.invalidUTF8, at: segment + broken) }
                position += 1
                guard var whole = resolved else { return JSONString(Array(tail)) }
                whole.append(contentsOf: tail)
                return JSONString(whole)
            }
            guard byte >= 0x20 else { throw failure(.controlCharacter(byte), at: position) }
            guard byte == UInt8(ascii: "\\") else {
                position += 1
                continue
            }
            let head = UnsafeBufferPointer(rebasing: bytes[segment..<position])
            if let broken = UTF8Check.firstInvalid(head) { throw failure(.invalidUTF8, at: segment + broken) }
            var whole = resolved ?? []
            whole.append(contentsOf: head)
            UTF8Check.append(try escape(), to: &whole)
            resolved = whole
            segment = position
        }
        throw failure(.unexpectedEnd, at: bytes.count)
    }

    /// Reads one escape from its backslash on.
    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        guard position + 1 < bytes.count else { throw failure(.unexpectedEnd, at: bytes.count) }
        let kind = bytes[position + 1]
        position += 2
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw failure(.invalidEscape, at: start)
        }
        let unit = try hexadecimal(from: start)
        guard (0xD800...0xDFFF).contains(unit) else {
            guard let scalar = Unicode.Scalar(unit) else { throw failure(.invalidEscape, at: start) }
            return scalar
        }
        guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw failure(.loneSurrogate, at: start) }
        position += 2
        let low = try hexadecimal(from: start)
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        else { throw failure(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func hexadecimal(from start: Int) throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure(.unexpectedEnd, at: bytes.count) }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch bytes[position] {
            case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
                digit = byte - UInt8(ascii: "a") + 10
            case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"):
                digit = byte - UInt8(ascii: "A") + 10
            default: throw failure(.invalidEscape, at: start)
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
            throw failure(.invalidNumber, at: start)
        }
        var isWhole = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            isWhole = false
            guard digits() > 0 else { throw failure(.invalidNumber, at: start) }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            isWhole = false
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard digits() > 0 else { throw failure(.invalidNumber, at: start) }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let number = Int64(text) { return .integer(number) }
        guard let number = Double(text), number.isFinite else { throw failure(.invalidNumber, at: start) }
        return .real(number)
    }

    /// Steps over decimal digits and says how many there were.
    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            position += 1
        }
        return position - start
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count else { throw failure(.unexpectedEnd, at: bytes.count) }
            // Safety: `index` stays below the literal's own count.
            guard bytes[position] == word.utf8Start[index] else {
                throw failure(.unexpectedByte(bytes[position], expected: "“\(word)”"), at: position)
            }
            position += 1
        }
    }

    private mutating func expect(_ byte: UInt8, _ name: String) throws(JSONError) {
        let found = try peekPastSpace()
        guard found == byte else { throw failure(.unexpectedByte(found, expected: name), at: position) }
        position += 1
    }

    private mutating func peekPastSpace() throws(JSONError) -> UInt8 {
        skipSpace()
        guard position < bytes.count else { throw failure(.unexpectedEnd, at: bytes.count) }
        return bytes[position]
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private func failure(_ reason: JSONError.Reason, at offset: Int) -> JSONError {
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, bytes.count) where bytes[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        return JSONError(reason: reason, byteOffset: offset, line: line, column: offset - lineStart + 1)
    }
}
