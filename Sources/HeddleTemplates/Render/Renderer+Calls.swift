extension Renderer {
    func call(_ callee: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        try spend()
        try enter()
        defer { depth -= 1 }
        switch callee {
        case .undefined(let undefined): throw use(of: undefined)
        case .macro(let macro): return .text(try invoke(macro, arguments))
        case .method(let method): return try call(method, arguments)
        case .function(let function): return try call(function, arguments)
        case .loop(let loop): return try call(loop, arguments)
        case .joiner(let joiner):
            guard arguments.positional.isEmpty, arguments.keywords.isEmpty else {
                throw failure(.type, "a joiner takes no arguments")
            }
            defer { joiner.isUsed = true }
            return joiner.isUsed ? joiner.separator : .text(.empty)
        default: throw failure(.type, "'\(callee.typeName)' object is not callable")
        }
    }

    private func call(_ method: BoundMethod, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch method.receiver {
        case .text(let text): return try callTextMethod(text, method.name, arguments)
        case .markup(let text): return try callMarkupMethod(text, method.name, arguments)
        case .loop(let loop): return try callLoopMethod(loop, method.name, arguments)
        case .mapping(let mapping): return try callMappingMethod(mapping, method.name, arguments)
        case .list(let items), .tuple(let items):
            return try callSequenceMethod(items, method.receiver, method.name, arguments)
        case .cycler(let cycler):
            guard arguments.positional.isEmpty, arguments.keywords.isEmpty else {
                throw failure(.type, "\(method.name)() takes no arguments")
            }
            let current = cycler.values[cycler.position]
            cycler.position = method.name == "reset" ? 0 : (cycler.position + 1) % cycler.values.count
            return method.name == "reset" ? .none : current
        default: throw unsupported("the method \(method.name) of a \(method.receiver.typeName)")
        }
    }

    // MARK: macros

    /// The text of a macro's body, with its parameters taken from the arguments as Jinja2's `Macro` does.
    func invoke(_ macro: Macro, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let definition = macro.definition
        let frame = Frame(count: definition.body.scope.starts.count, outer: macro.frame)
        var keywords = arguments.keywords
        var foundCaller = false
        var given: [Value?] = []
        for (index, parameter) in definition.parameters.enumerated() {
            if index < arguments.positional.count {
                given.append(arguments.positional[index])
                continue
            }
            let name = Text(parameter.name)
            if parameter.name == "caller" { foundCaller = true }
            let place = keywords.firstIndex { $0.name == name }
            given.append(place.map { keywords.remove(at: $0).value })
        }
        if arguments.positional.count >= definition.parameters.count {
            foundCaller = definition.parameters.contains { $0.name == "caller" }
        }
        if let slot = definition.callerSlot, !foundCaller {
            let place = keywords.firstIndex { $0.name.equals("caller") }
            let caller = place.map { keywords.remove(at: $0).value } ?? .none
            frame.slots[slot] = caller.isNone ? .undefined(Undefined("No caller defined")) : caller
        }
        let name = definition.name ?? "None"
        if let slot = definition.keywordsSlot {
            frame.slots[slot] = try mapping(keywords.map { (.text($0.name), $0.value) })
        } else if let first = keywords.first {
            throw failure(.type, "macro '\(name)' takes no keyword argument '\(first.name.description)'")
        }
        let rest = arguments.positional.dropFirst(definition.parameters.count)
        if let slot = definition.restSlot {
            frame.slots[slot] = try tuple(Array(rest))
        } else if !rest.isEmpty {
            throw failure(.type, "macro '\(name)' takes not more than \(definition.parameters.count) argument(s)")
        }
        start(frame, definition.body.scope)
        for (slot, value) in zip(definition.parameterSlots, given) { frame.slots[slot] = value }
        for (index, slot) in definition.parameterSlots.enumerated() where frame.slots[slot] == nil {
            let parameter = definition.parameters[index]
            if let fallback = parameter.fallback {
                frame.slots[slot] = try evaluate(fallback, frame)
            } else {
                frame.slots[slot] = .undefined(Undefined("parameter '\(parameter.name)' was not provided"))
            }
        }
        return try caught { () throws(TemplateError) in try run(definition.body.statements, frame) }.text
    }

    // MARK: arguments by name

    /// Arguments in the order of the parameters' names; nil for those not given.
    func bind(
        _ arguments: CallArguments, _ function: String, _ names: [String], required: Int = 0,
        positionalOnly: Int = 0
    ) throws(TemplateError) -> [Value?] {
        guard arguments.positional.count <= names.count else {
            throw failure(
                .type, "\(function)() takes at most \(names.count) arguments (\(arguments.positional.count) given)")
        }
        var result = [Value?](repeating: nil, count: names.count)
        for (index, value) in arguments.positional.enumerated() { result[index] = value }
        for (name, value) in arguments.keywords {
            guard let index = names.firstIndex(where: { name.equals($0) }), index >= positionalOnly else {
                throw failure(.type, "\(function)() got an unexpected keyword argument '\(name.description)'")
            }
            guard result[index] == nil else {
                throw failure(.type, "\(function)() got multiple values for argument '\(names[index])'")
            }
            result[index] = value
        }
        for index in 0..<required where result[index] == nil {
            throw failure(.type, "\(function)() missing required argument: '\(names[index])'")
        }
        return result
    }

    /// A whole number as Python's C functions take it.
    func integer(_ value: Value?, or fallback: Int) throws(TemplateError) -> Int {
        guard let value else { return fallback }
        guard let number = value.index else {
            throw failure(.type, "'\(value.typeName)' object cannot be interpreted as an integer")
        }
        return number
    }

    func string(_ value: Value, _ what: String) throws(TemplateError) -> Text {
        guard let text = value.string else { throw failure(.type, "\(what) must be str, not \(value.typeName)") }
        return text
    }
}
