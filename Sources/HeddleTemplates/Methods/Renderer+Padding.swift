extension Renderer {
    func pad(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let names = name == "zfill" ? ["width"] : ["width", "fillchar"]
        let values = try bind(arguments, name, names, required: 1, positionalOnly: names.count)
        let width = try integer(values[0], or: 0)
        if name == "zfill" {
            let missing = max(0, width - text.count)
            let hasSign = text.bytes.first == UInt8(ascii: "+") || text.bytes.first == UInt8(ascii: "-")
            let zeros = try repeated(Text("0"), missing)
            let split = hasSign ? 1 : 0
            return try self.text(
                Text(Array(text.bytes.prefix(split)) + zeros.bytes + Array(text.bytes.dropFirst(split))))
        }
        var fill = Text(" ")
        if let value = values[1] {
            fill = try string(value, "the fill character")
            guard fill.count == 1 else { throw failure(.type, "The fill character must be exactly one character long") }
        }
        let side: Side = name == "center" ? .both : name == "ljust" ? .right : .left
        return try self.text(try padded(text, to: width, with: fill, side))
    }

    /// Where padding goes.
    enum Side { case left, right, both }

    func padded(_ text: Text, to width: Int, with fill: Text, _ side: Side) throws(TemplateError) -> Text {
        let count = text.count
        guard width > count else { return text }
        let missing = width - count
        let left: Int
        switch side {
        case .left: left = missing
        case .right: left = 0
        // As `str.center` rounds.
        case .both: left = missing / 2 + (missing & width & 1)
        }
        let before = try repeated(fill, left)
        let after = try repeated(fill, missing - left)
        try spend(bytes: before.bytes.count + text.bytes.count + after.bytes.count)
        return Text(before.bytes + text.bytes + after.bytes)
    }

    func expandTabs(_ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let size = try integer(try bind(arguments, "expandtabs", ["tabsize"])[0], or: 8)
        var result: [UInt8] = []
        var column = 0
        for element in text.elements {
            switch element.bytes {
            case [UInt8(ascii: "\t")]:
                guard size > 0 else { continue }
                let width = size - column % size
                try spend(bytes: result.count, growingBy: width)
                result += [UInt8](repeating: UInt8(ascii: " "), count: width)
                column += width
            case [UInt8(ascii: "\n")], [UInt8(ascii: "\r")]:
                result += element.bytes
                column = 0
            default:
                result += element.bytes
                column += 1
            }
        }
        return try self.text(Text(result))
    }

    // MARK: dictionaries, lists and tuples

    func callMappingMethod(_ mapping: Mapping, _ name: String, _ arguments: CallArguments) throws(TemplateError)
        -> Value
    {
        switch name {
        case "get":
            let values = try bind(arguments, name, ["key", "default"], required: 1, positionalOnly: 2)
            return mapping[try hash(of: values[0] ?? .none)] ?? values[1] ?? .none
        case "keys", "values", "items":
            _ = try bind(arguments, name, [])
            guard let part = MappingView.Part(rawValue: name) else { return .none }
            try spend(1 + mapping.entries.count)
            try check(depth: mapping.depth + 1)
            return .view(MappingView(mapping: mapping, part: part))
        case "copy":
            _ = try bind(arguments, name, [])
            return try self.mapping(mapping.entries)
        default: throw unsupported("the method \(name) of a dict")
        }
    }

    func callSequenceMethod(
        _ items: Items, _ value: Value, _ name: String, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        switch name {
        case "copy":
            _ = try bind(arguments, name, [])
            return try list(items.values)
        case "count":
            let wanted = try bind(arguments, name, ["value"], required: 1, positionalOnly: 1)[0] ?? .none
            var count = 0
            for item in items.values where try isEqual(item, wanted) { count += 1 }
            return .integer(count)
        case "index":
            let values = try bind(arguments, name, ["value", "start", "stop"], required: 1, positionalOnly: 3)
            let count = items.values.count
            func position(_ value: Value?, or fallback: Int) throws(TemplateError) -> Int {
                let index = try integer(value, or: fallback)
                return index < 0 ? max(0, index + count) : min(index, count)
            }
            let start = try position(values[1], or: 0)
            let stop = try position(values[2], or: count)
            for index in start..<max(start, stop) where try isEqual(items.values[index], values[0] ?? .none) {
                return .integer(index)
            }
            throw failure(
                .value, "\(try representation(of: values[0] ?? .none).description) is not in \(value.typeName)")
        default: throw unsupported("the method \(name) of a \(value.typeName)")
        }
    }
}
