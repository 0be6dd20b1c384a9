extension Renderer {
    func applySequence(_ name: String, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch name {
        case "length", "count":
            _ = try bind(arguments, name, [])
            guard let length = try length(of: value) else {
                throw failure(.type, "object of type '\(value.typeName)' has no len()")
            }
            return .integer(length)
        case "list":
            _ = try bind(arguments, name, [])
            return try list(try elements(of: value))
        case "default", "d":
            let values = try bind(arguments, name, ["default_value", "boolean"])
            let fallback = values[0] ?? .text(.empty)
            if value.isUndefined { return fallback }
            guard try isTrue(values[1], or: false) else { return value }
            return try isTrue(value) ? value : fallback
        case "first":
            _ = try bind(arguments, name, [])
            return try iterate(value).next() ?? .undefined(Undefined("No first item, sequence was empty."))
        case "last":
            _ = try bind(arguments, name, [])
            guard let reversed = try reversed(value) else {
                throw failure(.type, "'\(value.typeName)' object is not reversible")
            }
            return reversed.first ?? .undefined(Undefined("No last item, sequence was empty."))
        case "reverse":
            _ = try bind(arguments, name, [])
            return try reverse(value)
        case "items": return try items(value, arguments)
        case "attr":
            guard let name = try bind(arguments, name, ["name"], required: 1)[0]?.string else {
                throw failure(.type, "attribute name must be string")
            }
            if case .undefined(let undefined) = value { throw use(of: undefined) }
            return try ownAttribute(name, of: value)
                ?? .undefined(Undefined("'\(value.objectName)' has no attribute '\(name.description)'"))
        case "batch": return try batch(value, arguments)
        case "slice": return try sliceFilter(value, arguments)
        case "unique": return try unique(value, arguments)
        default: return try applyOrder(name, value, arguments)
        }
    }

    /// The elements from the last to the first; nil for what Python cannot reverse.
    private func reversed(_ value: Value) throws(TemplateError) -> [Value]? {
        switch value {
        case .list, .tuple, .text, .markup, .mapping, .view, .range, .undefined:
            return try elements(of: value).reversed()
        default: return nil
        }
    }

    private func reverse(_ value: Value) throws(TemplateError) -> Value {
        switch value {
        case .text(let text): return try self.text(Text(text.elements.reversed().flatMap(\.bytes)))
        case .markup(let text): return .markup(Text(text.elements.reversed().flatMap(\.bytes)))
        case .iterator: return try list(try elements(of: value).reversed())
        default:
            guard let values = try reversed(value) else { throw failure(.runtime, "argument must be iterable") }
            try check(depth: value.depth + 1)
            return .iterator(ValueIterator(values))
        }
    }

    private func items(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, "items", [])
        if value.isUndefined { return .iterator(ValueIterator([])) }
        guard case .mapping(let mapping) = value else {
            return try iterator(over: value.depth) { [self] () throws(TemplateError) in
                throw failure(.type, "Can only get item pairs from a mapping.")
            }
        }
        try spend(1 + mapping.entries.count)
        try check(depth: mapping.depth + 2)
        return .iterator(ValueIterator(MappingView(mapping: mapping, part: .items).values))
    }

    /// The iterator over a value, made when its first element is asked for.
    private func started(_ source: inout ValueIterator?, _ value: Value) throws(TemplateError) -> ValueIterator {
        if let source { return source }
        let iterator = try iterate(value)
        source = iterator
        return iterator
    }

    private func batch(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "batch", ["linecount", "fill_with"], required: 1)
        let fill = values[1].flatMap { $0.isNone ? nil : $0 }
        let size = values[0] ?? .none
        var source: ValueIterator?
        var pending: Value?
        var isDone = false
        return try iterator(over: value.depth + 1) { [self] () throws(TemplateError) -> Value? in
            if isDone { return nil }
            let iterator = try started(&source, value)
            var batch: [Value] = []
            if let first = pending { batch.append(first) }
            pending = nil
            while let next = try iterator.next() {
                // A batch ends when the next element comes and it is full.
                if try isEqual(.integer(batch.count), size) {
                    pending = next
                    return try list(batch)
                }
                batch.append(next)
            }
            isDone = true
            guard !batch.isEmpty else { return nil }
            if let fill {
                guard let count = size.index else { throw failure(.type, "can't multiply by a \(size.typeName)") }
                let missing = max(0, count - batch.count)
                try spend(missing)
                batch += [Value](repeating: fill, count: missing)
            }
            return try list(batch)
        }
    }

    private func sliceFilter(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "slice", ["slices", "fill_with"], required: 1)
        let fill = values[1].flatMap { $0.isNone ? nil : $0 }
        var elements: [Value]?
        var number = 0
        var offset = 0
        return try iterator(over: value.depth + 1) { [self] () throws(TemplateError) -> Value? in
            let all: [Value]
            if let elements { all = elements } else { all = try self.elements(of: value) }
            elements = all
            let slices = try integer(values[0], or: 0)
            guard slices != 0 else { throw failure(.zeroDivision, "integer division or modulo by zero") }
            guard number < slices else { return nil }
            let (size, extra) = all.count.quotientAndRemainder(dividingBy: slices)
            let start = offset + number * size
            if number < extra { offset += 1 }
            let end = offset + (number + 1) * size
            var part = Array(all[start..<end])
            if let fill, number >= extra { part.append(fill) }
            number += 1
            return try list(part)
        }
    }

    private func unique(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "unique", ["case_sensitive", "attribute"])
        let isExact = try isTrue(values[0], or: false)
        let path = try path(values[1])
        var seen: Set<HashKey> = []
        var source: ValueIterator?
        return try iterator(over: value.depth) { [self] () throws(TemplateError) -> Value? in
            let iterator = try started(&source, value)
            while let next = try iterator.next() {
                let key = try follow(path, from: next)
                if seen.insert(try hash(of: isExact ? key : ignoringCase(key))).inserted { return next }
            }
            return nil
        }
    }
}
