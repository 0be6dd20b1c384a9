extension Renderer {
    /// `map`, `select`, `reject` and their like walk their value only when somebody asks for an element, as Python's
    /// generators: what is never asked for never fails.
    func applySelection(_ name: String, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        var source: ValueIterator?
        var change: Step?
        return try iterator(over: value.depth) { [self] () throws(TemplateError) -> Value? in
            let iterator: ValueIterator
            let step: Step
            if let source, let change {
                (iterator, step) = (source, change)
            } else {
                // An empty value is not looked at any closer, nor are the arguments.
                guard try isTrue(value) else { return nil }
                step = try name == "map" ? mapping(arguments) : selection(name, arguments)
                iterator = try iterate(value)
                (source, change) = (iterator, step)
            }
            while let next = try iterator.next() { if let result = try step(next) { return result } }
            return nil
        }
    }

    /// What becomes of an element; nil leaves it out.
    private typealias Step = (Value) throws(TemplateError) -> Value?

    private func mapping(_ arguments: CallArguments) throws(TemplateError) -> Step {
        if arguments.positional.isEmpty, arguments.keywords.contains(where: { $0.name.equals("attribute") }) {
            var attribute: Value = .none
            var fallback: Value?
            for (name, value) in arguments.keywords {
                if name.equals("attribute") {
                    attribute = value
                } else if name.equals("default") {
                    fallback = value
                } else {
                    throw failure(.runtime, "Unexpected keyword argument '\(name.description)'")
                }
            }
            let path = try path(attribute)
            return { [self] (value) throws(TemplateError) in try follow(path, from: value, default: fallback) }
        }
        guard let first = arguments.positional.first else {
            throw failure(.runtime, "map requires a filter argument")
        }
        let rest = CallArguments(positional: Array(arguments.positional.dropFirst()), keywords: arguments.keywords)
        return { [self] (value) throws(TemplateError) in
            try enter()
            defer { depth -= 1 }
            return try apply(filter: try calledName(first, "filter"), to: value, rest)
        }
    }

    private func selection(_ name: String, _ arguments: CallArguments) throws(TemplateError) -> Step {
        var positional = arguments.positional[...]
        var path: [Value] = []
        if name.hasSuffix("attr") {
            guard let attribute = positional.popFirst() else {
                throw failure(.runtime, "Missing parameter for attribute name")
            }
            path = try self.path(attribute)
        }
        let test = positional.popFirst()
        let rest = CallArguments(positional: Array(positional), keywords: arguments.keywords)
        let wanted = name.hasPrefix("select")
        return { [self] (value) throws(TemplateError) in
            let tested = try follow(path, from: value)
            let holds: Bool
            if let test {
                holds = try apply(test: try calledName(test, "test"), to: tested, rest)
            } else {
                holds = try isTrue(tested)
            }
            return holds == wanted ? value : nil
        }
    }

    private func calledName(_ value: Value, _ what: String) throws(TemplateError) -> String {
        if let name = value.string { return name.description }
        throw failure(.runtime, "No \(what) named \(try representation(of: value).description).")
    }
}
