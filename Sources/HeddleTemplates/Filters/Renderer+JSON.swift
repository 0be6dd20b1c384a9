/// How `tojson` lays a value out.
struct JSONStyle {
    var isASCII = false
    /// nil is one line.
    var indent: Text?
    var itemSeparator: Text?
    var keySeparator: Text?
    var sortsKeys = false
}

extension Renderer {
    /// What Python's `json.dumps` makes of a value.
    func json(of value: Value, _ style: JSONStyle) throws(TemplateError) -> Text {
        var writer = JSONWriter(style)
        try write(value, &writer, level: 0)
        try spend(bytes: writer.bytes.count)
        return Text(writer.bytes)
    }

    private struct JSONWriter {
        var bytes: [UInt8] = []
        let style: JSONStyle
        let itemSeparator: [UInt8]
        let keySeparator: [UInt8]

        init(_ style: JSONStyle) {
            self.style = style
            itemSeparator = style.itemSeparator?.bytes ?? Array((style.indent == nil ? ", " : ",").utf8)
            keySeparator = style.keySeparator?.bytes ?? Array(": ".utf8)
        }

        mutating func breakLine(_ level: Int) {
            guard let indent = style.indent else { return }
            bytes.append(UInt8(ascii: "\n"))
            for _ in 0..<level { bytes += indent.bytes }
        }
    }

    private func write(_ value: Value, _ writer: inout JSONWriter, level: Int) throws(TemplateError) {
        try spend()
        try enter()
        defer { depth -= 1 }
        guard writer.bytes.count <= limits.outputByteCountMax else {
            throw failure(.limit, "a text is longer than \(limits.outputByteCountMax) bytes")
        }
        switch value {
        case .none: writer.bytes += "null".utf8
        case .bool(let truth): writer.bytes += (truth ? "true" : "false").utf8
        case .integer(let number): writer.bytes += String(number).utf8
        case .float(let number): writer.bytes += Self.json(number).utf8
        case .text(let text), .markup(let text): try write(text, &writer)
        case .list(let items), .tuple(let items): try write(items.values, &writer, level)
        case .mapping(let mapping): try write(mapping, &writer, level)
        default:
            throw failure(.type, "Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private static func json(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return FloatText.representation(number)
    }

    private func write(_ text: Text, _ writer: inout JSONWriter) throws(TemplateError) {
        try spend(bytes: text.bytes.count)
        writer.bytes.append(UInt8(ascii: "\""))
        for scalar in text.scalars {
            switch scalar {
            case "\"": writer.bytes += "\\\"".utf8
            case "\\": writer.bytes += "\\\\".utf8
            case "\n": writer.bytes += "\\n".utf8
            case "\r": writer.bytes += "\\r".utf8
            case "\t": writer.bytes += "\\t".utf8
            case "\u{8}": writer.bytes += "\\b".utf8
            case "\u{C}": writer.bytes += "\\f".utf8
            default:
                if scalar.value < 0x20 || (writer.style.isASCII && scalar.value > 0x7E) {
                    for unit in UTF16.encode(scalar).map({ Array($0) }) ?? [] {
                        writer.bytes += ("\\u" + Escapes.hexadecimal(UInt32(unit), 4)).utf8
                    }
                } else {
                    writer.bytes += Array(String(scalar).utf8)
                }
            }
        }
        writer.bytes.append(UInt8(ascii: "\""))
    }

    private func write(_ values: [Value], _ writer: inout JSONWriter, _ level: Int) throws(TemplateError) {
        guard !values.isEmpty else {
            writer.bytes += "[]".utf8
            return
        }
        try spendIndents(values.count, writer, level)
        writer.bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { writer.bytes += writer.itemSeparator }
            writer.breakLine(level + 1)
            try write(value, &writer, level: level + 1)
        }
        writer.breakLine(level)
        writer.bytes.append(UInt8(ascii: "]"))
    }

    private func write(_ mapping: Mapping, _ writer: inout JSONWriter, _ level: Int) throws(TemplateError) {
        guard !mapping.entries.isEmpty else {
            writer.bytes += "{}".utf8
            return
        }
        var entries = mapping.entries
        if writer.style.sortsKeys {
            entries = try sorted(entries, by: { $0.key }, isReversed: false) { [self] (a, b) throws(TemplateError) in
                try precedes(a, b, "<")
            }
        }
        try spendIndents(entries.count, writer, level)
        writer.bytes.append(UInt8(ascii: "{"))
        for (index, entry) in entries.enumerated() {
            if index > 0 { writer.bytes += writer.itemSeparator }
            writer.breakLine(level + 1)
            try write(try key(entry.key), &writer)
            writer.bytes += writer.keySeparator
            try write(entry.value, &writer, level: level + 1)
        }
        writer.breakLine(level)
        writer.bytes.append(UInt8(ascii: "}"))
    }

    private func key(_ value: Value) throws(TemplateError) -> Text {
        switch value {
        case .text(let text), .markup(let text): return text
        case .none: return Text("null")
        case .bool(let truth): return Text(truth ? "true" : "false")
        case .integer(let number): return Text(String(number))
        case .float(let number): return Text(Self.json(number))
        default:
            throw failure(.type, "keys must be str, int, float, bool or None, not \(value.typeName)")
        }
    }

    private func spendIndents(_ count: Int, _ writer: JSONWriter, _ level: Int) throws(TemplateError) {
        guard let indent = writer.style.indent else { return }
        let (total, isOver) = indent.bytes.count.multipliedReportingOverflow(by: count * (level + 2))
        try spend(bytes: isOver ? .max : total)
    }
}
