extension Renderer {
    /// Gives a scope's variables their first values.
    func start(_ frame: Frame, _ scope: Scope) {
        for (slot, start) in scope.starts.enumerated() {
            switch start {
            case .given: break
            case .missing: frame.slots[slot] = nil
            case .resolved(let name): frame.slots[slot] = resolve(name)
            case .copied(let framesUp, let outerSlot): frame.slots[slot] = frame.frame(framesUp).slots[outerSlot]
            }
        }
    }

    private func resolve(_ name: Text) -> Value? {
        if let value = variables[name] { return value }
        return GlobalFunction(rawValue: name.description).map { .function($0) }
    }

    func run(_ statements: [Statement], _ frame: Frame) throws(TemplateError) -> Flow {
        try enter()
        defer { depth -= 1 }
        for statement in statements {
            try spend()
            let flow = try run(statement, frame)
            if flow != .next { return flow }
        }
        return .next
    }

    private func run(_ statement: Statement, _ frame: Frame) throws(TemplateError) -> Flow {
        switch statement {
        case .data(let text): try write(text.bytes)
        case .output(let expression): try output(expression, frame)
        case .branches(let branches, let otherwise): return try run(branches, otherwise, frame)
        case .loop(let loop): return try run(loop, frame)
        case .set(let target, let value):
            try checkNamespaces(target, frame)
            try assign(try evaluate(value, frame), to: target, frame)
        case .setBlock(let target, let filter, let body, let line):
            return try runSetBlock(target, filter, body, line, frame)
        case .macro(let slot, _, let definition):
            keep(frame)
            frame.slots[slot] = .macro(Macro(definition, frame: frame))
        case .callBlock(let call, let definition): try runCallBlock(call, definition, frame)
        case .generation(let definition):
            line = definition.line
            try runGeneration(definition, frame)
        case .filterBlock(let filter, let body): return try runFilterBlock(filter, body, frame)
        case .with(let values, let body, let line):
            self.line = line
            return try runWith(values, body, frame)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .next
    }

    @inline(never)
    private func output(_ expression: Expression, _ frame: Frame) throws(TemplateError) {
        let value = try evaluate(expression, frame)
        try write(try string(of: value).bytes)
    }

    private func run(
        _ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement], _ frame: Frame
    ) throws(TemplateError) -> Flow {
        for (test, body) in branches {
            if try isTrue(try evaluate(test, frame)) { return try run(body, frame) }
        }
        return try run(otherwise, frame)
    }

    // MARK: blocks

    @inline(never)
    private func runGeneration(_ definition: Statement.MacroDefinition, _ frame: Frame) throws(TemplateError) {
        try write(try invoke(Macro(definition, frame: frame), CallArguments()).bytes)
    }

    @inline(never)
    private func runWith(
        _ values: [(target: Statement.Target, value: Expression)], _ body: Statement.Body, _ frame: Frame
    ) throws(TemplateError) -> Flow {
        let inner = Frame(count: body.scope.starts.count, outer: frame)
        start(inner, body.scope)
        for (target, value) in values { try assign(try evaluate(value, frame), to: target, inner) }
        return try run(body.statements, inner)
    }

    @inline(never)
    private func runSetBlock(
        _ target: Statement.Target, _ filter: Expression?, _ body: Statement.Body, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Flow {
        let inner = Frame(count: body.scope.starts.count, outer: frame)
        start(inner, body.scope)
        let (text, flow) = try caught { () throws(TemplateError) in try run(body.statements, inner) }
        // A loop that is left from inside the block leaves the variable alone.
        guard flow == .next else { return flow }
        self.line = line
        var value = Value.text(text)
        if let filter { value = try evaluate(filter, inner, captured: text) }
        try assign(value, to: target, frame)
        return .next
    }

    @inline(never)
    private func runFilterBlock(
        _ filter: Expression, _ body: Statement.Body, _ frame: Frame
    ) throws(TemplateError) -> Flow {
        let inner = Frame(count: body.scope.starts.count, outer: frame)
        start(inner, body.scope)
        let (text, flow) = try caught { () throws(TemplateError) in try run(body.statements, inner) }
        guard flow == .next else { return flow }
        let value = try evaluate(filter, inner, captured: text)
        try write(try string(of: value).bytes)
        return .next
    }

    private func evaluate(
        _ filter: Expression, _ frame: Frame, captured text: Text
    ) throws(TemplateError) -> Value {
        captured.append(text)
        defer { captured.removeLast() }
        return try evaluate(filter, frame)
    }

    @inline(never)
    private func runCallBlock(
        _ call: Expression, _ definition: Statement.MacroDefinition, _ frame: Frame
    ) throws(TemplateError) {
        guard case .call(let callee, let arguments) = call.kind else { preconditionFailure("a call block calls") }
        keep(frame)
        let caller = Macro(definition, frame: frame)
        let function = try evaluate(callee, frame)
        var values = try evaluate(arguments, frame)
        line = call.line
        guard !values.keywords.contains(where: { $0.name.equals("caller") }) else {
            throw failure(.type, "got multiple values for keyword argument 'caller'")
        }
        values.keywords.append((Text("caller"), .macro(caller)))
        try write(try string(of: try self.call(function, values)).bytes)
    }

    // MARK: assignment

    /// Jinja2 looks at the namespaces before it computes the value.
    @inline(never)
    private func checkNamespaces(_ target: Statement.Target, _ frame: Frame) throws(TemplateError) {
        switch target {
        case .attribute(let namespace, _):
            guard case .namespace = try evaluate(namespace, frame) else {
                throw failure(.runtime, "cannot assign attribute on non-namespace object")
            }
        case .tuple(let parts): for part in parts { try checkNamespaces(part, frame) }
        case .name, .slot: break
        }
    }

    @inline(never)
    func assign(_ value: Value, to target: Statement.Target, _ frame: Frame) throws(TemplateError) {
        switch target {
        case .name: preconditionFailure("the binder replaces names by slots")
        case .slot(let slot): frame.slots[slot] = value
        case .attribute(let expression, let name):
            guard case .namespace(let namespace) = try evaluate(expression, frame) else {
                throw failure(.runtime, "cannot assign attribute on non-namespace object")
            }
            try set(namespace, Text(name), value)
        case .tuple(let parts):
            let iterator = try iterate(value)
            for part in parts {
                guard let element = try iterator.next() else {
                    throw failure(.value, "not enough values to unpack (expected \(parts.count))")
                }
                try assign(element, to: part, frame)
            }
            guard try iterator.next() == nil else {
                throw failure(.value, "too many values to unpack (expected \(parts.count))")
            }
        }
    }

    func set(_ namespace: Namespace, _ name: Text, _ value: Value) throws(TemplateError) {
        guard name.bytes.first != UInt8(ascii: "_") else {
            let attribute = Representation.quoted(name).description
            throw failure(
                .security,
                "Chat templates cannot store underscore-prefixed attributes on a namespace, but got \(attribute). "
                    + "Please rename the attribute.")
        }
        try spend(1 + namespace.attributes.count / 8)
        namespace.set(name, value)
    }
}
