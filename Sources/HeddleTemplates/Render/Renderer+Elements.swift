extension Renderer {
    // MARK: walking

    /// Walks a value as `iter` does.
    func iterate(_ value: Value) throws(TemplateError) -> ValueIterator {
        switch value {
        case .undefined: return ValueIterator([])
        case .list(let items), .tuple(let items): return walk(items.values)
        case .text(let text):
            try spend(1 + text.bytes.count / 16)
            return walk(text.elements.map { .text($0) })
        case .markup(let text):
            try spend(1 + text.bytes.count / 16)
            return walk(text.elements.map { .text($0) })
        case .mapping(let mapping): return walk(mapping.entries.map(\.key))
        case .view(let view): return walk(view.values)
        case .range(let range):
            var index = 0
            return ValueIterator(depth: 1) { [self] () throws(TemplateError) -> Value? in
                try spend()
                guard index < range.count else { return nil }
                index += 1
                return .integer(range[index - 1])
            }
        case .iterator(let iterator): return iterator
        case .loop: throw unsupported("walking a loop's own variable")
        default: throw failure(.type, "'\(value.typeName)' object is not iterable")
        }
    }

    private func walk(_ values: [Value]) -> ValueIterator {
        var index = 0
        return ValueIterator(depth: 1) { [self] () throws(TemplateError) -> Value? in
            try spend()
            guard index < values.count else { return nil }
            index += 1
            return values[index - 1]
        }
    }

    /// All elements, as `list` takes them.
    func elements(of value: Value) throws(TemplateError) -> [Value] {
        if case .list(let items) = value {
            try spend(1 + items.values.count)
            return items.values
        }
        let iterator = try iterate(value)
        var values: [Value] = []
        while let next = try iterator.next() {
            try spend()
            values.append(next)
        }
        return values
    }

    /// What `len` says; nil for what has no length.
    func length(of value: Value) throws(TemplateError) -> Int? {
        switch value {
        case .undefined: return 0
        case .text(let text), .markup(let text):
            try spend(1 + text.bytes.count / 64)
            return text.count
        case .list(let items), .tuple(let items): return items.values.count
        case .mapping(let mapping): return mapping.entries.count
        case .view(let view): return view.mapping.entries.count
        case .range(let range): return range.count
        case .loop(let loop): return try loop.count()
        default: return nil
        }
    }

    // MARK: items

    /// `value[index]`: the item, else the attribute of that name, else undefined.
    func item(_ index: Value, of value: Value) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value { throw use(of: undefined) }
        if let found = try subscripted(value, index) { return found }
        if let name = index.string, let found = try ownAttribute(name, of: value) { return found }
        return try undefined(index, of: value)
    }

    private func undefined(_ index: Value, of value: Value) throws(TemplateError) -> Value {
        let name = try representation(of: index).description
        if index.string != nil { return .undefined(Undefined("'\(value.objectName)' has no attribute \(name)")) }
        return .undefined(Undefined("\(value.objectName) has no element \(name)"))
    }

    /// What `__getitem__` gives; nil where it fails as a missing key or a wrong type does.
    private func subscripted(_ value: Value, _ index: Value) throws(TemplateError) -> Value? {
        switch value {
        case .mapping(let mapping):
            switch index {
            case .list, .mapping, .view: return nil
            default: return mapping[try hash(of: index)]
            }
        case .list(let items), .tuple(let items):
            return Self.position(index, count: items.values.count).map { items.values[$0] }
        case .text(let text):
            try spend(1 + text.bytes.count / 64)
            return Self.position(index, count: text.count).map { .text(text.slice($0, $0 + 1)) }
        case .markup(let text):
            return Self.position(index, count: text.count).map { .markup(text.slice($0, $0 + 1)) }
        case .range(let range): return Self.position(index, count: range.count).map { .integer(range[$0]) }
        default: return nil
        }
    }

    private static func position(_ index: Value, count: Int) -> Int? {
        guard let index = index.index else { return nil }
        let position = index < 0 ? index + count : index
        return position >= 0 && position < count ? position : nil
    }

    /// `value.name`: the attribute, else the item of that name, else undefined.
    func attribute(_ name: Text, of value: Value) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value {
            if let hidden = Self.hidden(name.description, of: value) { return hidden }
            throw use(of: undefined)
        }
        if let found = try ownAttribute(name, of: value) { return found }
        if let found = try subscripted(value, .text(name)) { return found }
        return try undefined(.text(name), of: value)
    }

    /// What `getattr` gives in the sandbox; nil where there is no such attribute.
    func ownAttribute(_ name: Text, of value: Value) throws(TemplateError) -> Value? {
        let word = name.description
        if word.hasPrefix("__"), word.hasSuffix("__"), word.utf8.count > 4 {
            if case .namespace = value { return nil }
            return Self.hidden(word, of: value)
        }
        switch value {
        case .namespace(let namespace): return namespace[name]
        case .loop(let loop): return try attribute(name, of: loop)
        case .tuple(let items) where items.isGroup && word == "grouper": return items.values[0]
        case .tuple(let items) where items.isGroup && word == "list": return items.values[1]
        case .macro(let macro):
            switch word {
            case "name": return macro.definition.name.map { .text(Text($0)) } ?? Value.none
            case "arguments": return .tuple(Items(macro.definition.parameters.map { .text(Text($0.name)) }))
            case "catch_kwargs": return .bool(macro.definition.keywordsSlot != nil)
            case "catch_varargs": return .bool(macro.definition.restSlot != nil)
            case "caller": return .bool(macro.definition.callerSlot != nil)
            case "explicit_caller": return .bool(macro.definition.parameters.contains { $0.name == "caller" })
            default: return nil
            }
        case .cycler(let cycler):
            switch word {
            case "current": return cycler.values[cycler.position]
            case "pos": return .integer(cycler.position)
            case "items": return try tuple(cycler.values)
            case "next", "reset": return .method(BoundMethod(value, word))
            default: return nil
            }
        case .joiner(let joiner):
            switch word {
            case "sep": return joiner.separator
            case "used": return .bool(joiner.isUsed)
            default: return nil
            }
        case .integer, .bool, .float:
            if let part = Self.part(word, of: value) { return part }
        case .range(let range):
            switch word {
            case "start": return .integer(range.start)
            case "stop": return .integer(range.stop)
            case "step": return .integer(range.step)
            default: break
            }
        case .view where word == "mapping": throw unsupported("the mapping of a dictionary's view")
        default: break
        }
        return method(word, of: value)
    }

    /// What Python's numbers say of themselves.
    private static func part(_ name: String, of number: Value) -> Value? {
        let whole = number.index.map { Value.integer($0) }
        return switch name {
        case "real": whole ?? number
        case "imag": whole == nil ? .float(0) : .integer(0)
        case "numerator": whole
        case "denominator": whole.map { _ in .integer(1) }
        default: nil
        }
    }

    private static func hidden(_ name: String, of value: Value) -> Value? {
        guard PythonAttributes.hidden.contains(name) else { return nil }
        return .undefined(
            Undefined("access to attribute '\(name)' of '\(value.typeName)' object is unsafe.", isForbidden: true))
    }

    private func method(_ name: String, of value: Value) -> Value? {
        guard let names = PythonAttributes.methods[value.typeName], names.contains(name) else { return nil }
        if PythonAttributes.changing[value.typeName]?.contains(name) == true {
            return .undefined(
                Undefined(
                    "access to attribute '\(name)' of '\(value.typeName)' object is unsafe.", isForbidden: true))
        }
        return .method(BoundMethod(value, name))
    }

    // MARK: slices

    func slice(of value: Value, _ start: Value?, _ stop: Value?, _ step: Value?) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw use(of: undefined)
        case .text(let text):
            try spend(bytes: text.bytes.count)
            return .text(try slice(text, start, stop, step))
        case .markup(let text): return .markup(try slice(text, start, stop, step))
        case .list(let items): return try list(try slice(items.values, start, stop, step))
        case .tuple(let items): return try tuple(try slice(items.values, start, stop, step))
        case .range(let range):
            let bounds = try bounds(start, stop, step, count: range.count)
            return .range(
                Progression(
                    start: range[bounds.start], stop: range[bounds.start] + bounds.count * bounds.step * range.step,
                    step: bounds.step * range.step, count: bounds.count))
        case .mapping: throw failure(.type, "unhashable type: 'slice'")
        default: throw failure(.type, "'\(value.typeName)' object is not subscriptable")
        }
    }

    private func slice(_ text: Text, _ start: Value?, _ stop: Value?, _ step: Value?) throws(TemplateError) -> Text {
        let bounds = try bounds(start, stop, step, count: text.count)
        if bounds.step == 1 { return text.slice(bounds.start, bounds.start + bounds.count) }
        let elements = text.elements
        return Text(bounds.indices.flatMap { elements[$0].bytes })
    }

    private func slice(
        _ values: [Value], _ start: Value?, _ stop: Value?, _ step: Value?
    ) throws(TemplateError) -> [Value] {
        let bounds = try bounds(start, stop, step, count: values.count)
        return bounds.indices.map { values[$0] }
    }

    private struct Bounds {
        var start: Int
        var step: Int
        var count: Int
        var indices: [Int] { (0..<count).map { start + $0 * step } }
    }

    private func bounds(
        _ start: Value?, _ stop: Value?, _ step: Value?, count: Int
    ) throws(TemplateError) -> Bounds {
        let step = try bound(step) ?? 1
        guard step != 0 else { throw failure(.value, "slice step cannot be zero") }
        func clamped(_ bound: Int) -> Int {
            let index = bound < 0 ? bound + count : bound
            return step > 0 ? min(max(index, 0), count) : min(max(index, -1), count - 1)
        }
        let first = try bound(start).map(clamped) ?? (step > 0 ? 0 : count - 1)
        let end = try bound(stop).map(clamped) ?? (step > 0 ? count : -1)
        let distance = step > 0 ? end - first : first - end
        guard distance > 0 else { return Bounds(start: 0, step: 1, count: 0) }
        let width = step.magnitude > Int.max.magnitude ? Int.max : Int(step.magnitude)
        let length = 1 + (distance - 1) / width
        // A step beyond the end is never taken.
        return Bounds(start: first, step: length == 1 ? 1 : step, count: length)
    }

    private func bound(_ value: Value?) throws(TemplateError) -> Int? {
        guard let value, !value.isNone else { return nil }
        guard let index = value.index else {
            throw failure(.type, "slice indices must be integers or None or have an __index__ method")
        }
        return index
    }
}
