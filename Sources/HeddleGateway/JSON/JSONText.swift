/// Writes one JSON text, member by member, as bytes: what answers are made of is written many times a second.
struct JSONText: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Whether what comes next in the innermost list or object stands behind something.
    private var isBehindValue = false

    // MARK: Lists and objects

    mutating func object(_ body: (inout JSONText) -> Void) { nest("{", "}", body) }
    mutating func array(_ body: (inout JSONText) -> Void) { nest("[", "]", body) }

    mutating func array<Element>(_ elements: some Sequence<Element>, _ write: (inout JSONText, Element) -> Void) {
        array { text in for element in elements { write(&text, element) } }
    }

    /// What is written next is this member's value.
    mutating func key(_ name: String) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        isBehindValue = false
    }

    private mutating func nest(_ open: Character, _ close: Character, _ body: (inout JSONText) -> Void) {
        separate()
        bytes.append(contentsOf: open.utf8)
        isBehindValue = false
        body(&self)
        bytes.append(contentsOf: close.utf8)
        isBehindValue = true
    }

    // MARK: Values

    mutating func null() { literal("null") }
    mutating func value(_ truth: Bool) { literal(truth ? "true" : "false") }
    mutating func value(_ number: some FixedWidthInteger) { literal("\(number)") }

    /// A probability's logarithm. JSON has no infinity; what programs know instead is OpenAI's −9999.
    mutating func value(logprob: Float) { literal(logprob.isFinite ? "\(logprob)" : "-9999.0") }

    mutating func value(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { escape($0) }
        bytes.append(UInt8(ascii: "\""))
        isBehindValue = true
    }

    mutating func value(_ text: String?) {
        if let text { value(text) } else { null() }
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        isBehindValue = true
    }

    private mutating func separate() {
        if isBehindValue { bytes.append(UInt8(ascii: ",")) }
        isBehindValue = false
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20, 0x7F:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
    }
}

extension JSONText {
    mutating func member(_ name: String, _ text: String?) {
        key(name)
        value(text)
    }

    mutating func member(_ name: String, _ number: some FixedWidthInteger) {
        key(name)
        value(number)
    }

    mutating func member(_ name: String, _ truth: Bool) {
        key(name)
        value(truth)
    }

    /// An object.
    mutating func member(_ name: String, _ body: (inout JSONText) -> Void) {
        key(name)
        object(body)
    }

    /// A list.
    mutating func member<Element>(
        _ name: String, array elements: some Sequence<Element>, _ write: (inout JSONText, Element) -> Void
    ) {
        key(name)
        array(elements, write)
    }

    mutating func null(_ name: String) {
        key(name)
        null()
    }
}
