extension Renderer {
    /// What Python's `str` makes of a value.
    func string(of value: Value) throws(TemplateError) -> Text {
        switch value {
        case .text(let text), .markup(let text): return text
        case .undefined: return .empty
        default:
            var writer: [UInt8] = []
            try represent(value, into: &writer)
            return Text(writer)
        }
    }

    /// What Python's `repr` makes of a value.
    func representation(of value: Value) throws(TemplateError) -> Text {
        var writer: [UInt8] = []
        try represent(value, into: &writer)
        return Text(writer)
    }

    private func represent(_ value: Value, into writer: inout [UInt8]) throws(TemplateError) {
        try spend()
        try enter()
        defer { depth -= 1 }
        switch value {
        case .undefined: writer += "Undefined".utf8
        case .none: writer += "None".utf8
        case .bool(let truth): writer += (truth ? "True" : "False").utf8
        case .integer(let number): writer += String(number).utf8
        case .float(let number): writer += FloatText.representation(number).utf8
        case .text(let text): try append(Representation.quoted(text), to: &writer)
        case .markup(let text):
            writer += "Markup(".utf8
            try append(Representation.quoted(text), to: &writer)
            writer += ")".utf8
        case .list(let items): try represent(items.values, "[", "]", into: &writer)
        case .tuple(let items): try represent(items.values, "(", items.values.count == 1 ? ",)" : ")", into: &writer)
        case .mapping(let mapping): try represent(mapping.entries, into: &writer)
        case .namespace(let namespace):
            writer += "<Namespace ".utf8
            try represent(namespace.attributes.map { (.text($0.name), $0.value) }, into: &writer)
            writer += ">".utf8
        case .range(let range):
            writer += "range(\(range.start), \(range.stop)\(range.step == 1 ? "" : ", \(range.step)"))".utf8
        case .view(let view):
            writer += "dict_\(view.part.rawValue)(".utf8
            try represent(view.values, "[", "]", into: &writer)
            writer += ")".utf8
        case .loop(let loop): writer += "<LoopContext \(loop.index0 + 1)/\(try loop.count())>".utf8
        case .macro(let macro):
            let name = macro.definition.name.map { Representation.quoted(Text($0)).description } ?? "anonymous"
            writer += "<Macro \(name)>".utf8
        case .iterator, .function, .method, .joiner, .cycler:
            throw unsupported("printing a \(value.typeName), which shows an address in Python,")
        }
    }

    private func append(_ text: Text, to writer: inout [UInt8]) throws(TemplateError) {
        try spend(bytes: writer.count, growingBy: text.bytes.count)
        writer += text.bytes
    }

    private func represent(
        _ values: [Value], _ open: String, _ close: String, into writer: inout [UInt8]
    ) throws(TemplateError) {
        writer += open.utf8
        for (index, value) in values.enumerated() {
            if index > 0 { writer += ", ".utf8 }
            try represent(value, into: &writer)
        }
        writer += close.utf8
    }

    private func represent(_ pairs: [(key: Value, value: Value)], into writer: inout [UInt8]) throws(TemplateError) {
        writer += "{".utf8
        for (index, pair) in pairs.enumerated() {
            if index > 0 { writer += ", ".utf8 }
            try represent(pair.key, into: &writer)
            writer += ": ".utf8
            try represent(pair.value, into: &writer)
        }
        writer += "}".utf8
    }
}

/// Writes strings as Python's `repr` does.
enum Representation {
    static func quoted(_ text: Text) -> Text {
        let quote: Unicode.Scalar =
            text.bytes.contains(UInt8(ascii: "'")) && !text.bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
        var result = [UInt8(quote.value)]
        for scalar in text.scalars {
            switch scalar {
            case "\n": result += "\\n".utf8
            case "\r": result += "\\r".utf8
            case "\t": result += "\\t".utf8
            case "\\": result += "\\\\".utf8
            case quote: result += [UInt8(ascii: "\\"), UInt8(quote.value)]
            default: result += (Text.isPrintable(scalar) ? String(scalar) : Escapes.python(scalar)).utf8
            }
        }
        result.append(UInt8(quote.value))
        return Text(result)
    }
}

/// Replaces what HTML would read as markup.
enum Markup {
    static func escaped(_ text: Text) -> Text {
        var result: [UInt8] = []
        for byte in text.bytes {
            switch byte {
            case UInt8(ascii: "&"): result += "&amp;".utf8
            case UInt8(ascii: ">"): result += "&gt;".utf8
            case UInt8(ascii: "<"): result += "&lt;".utf8
            case UInt8(ascii: "'"): result += "&#39;".utf8
            case UInt8(ascii: "\""): result += "&#34;".utf8
            default: result.append(byte)
            }
        }
        return Text(result)
    }
}
