/// Replaces the names of a template by variables, scope by scope, and refuses what only a compiler can see: unknown
/// filters and tests, loops' variables that are set, `break` outside a loop.
struct Binder {
    /// A template that can be rendered.
    struct Bound: Sendable {
        var statements: [Statement]
        var scope: Scope
    }

    /// Where a statement stands.
    private struct Place {
        var symbols: Symbols
        /// Inside a branch an unknown filter is an error only when it is reached.
        var isBranch = false
        /// Whether a loop around can be left from here.
        var isInLoop = false
        /// Whether a loop is around at all, in whose body `loop` may not be set.
        var isBelowLoop = false

        func inner() -> Place {
            var place = self
            place.symbols = Symbols(outer: [symbols] + symbols.outer)
            place.isBranch = false
            return place
        }
    }

    /// Binds a whole template.
    static func bind(_ statements: [Statement]) throws(TemplateError) -> Bound {
        var place = Place(symbols: Symbols(outer: []))
        place.symbols.visit(statements)
        return Bound(statements: try bind(statements, place), scope: place.symbols.scope)
    }

    private static func bind(_ statements: [Statement], _ place: Place) throws(TemplateError) -> [Statement] {
        var result: [Statement] = []
        for statement in statements { result.append(try bind(statement, place)) }
        return result
    }

    private static func bind(_ statement: Statement, _ place: Place) throws(TemplateError) -> Statement {
        switch statement {
        case .data: return statement
        case .output(let value): return .output(try bind(value, place))
        case .branches(let branches, let otherwise):
            var branch = place
            branch.isBranch = true
            var bound: [(test: Expression, body: [Statement])] = []
            for (test, body) in branches { bound.append((try bind(test, branch), try bind(body, branch))) }
            return .branches(bound, otherwise: try bind(otherwise, branch))
        case .loop(let loop): return .loop(try bind(loop, place))
        case .set(let target, let value): return .set(try bind(target, place), try bind(value, place))
        case .setBlock(let target, let filter, let body, let line):
            var inner = place.inner()
            inner.symbols.visit(body.statements)
            // The filter's names are read in the block's scope; Jinja2 fails on those that only the filter mentions.
            if let filter { inner.symbols.visit(filter) }
            return .setBlock(
                try bind(target, place),
                filter: try filter.map { (filter) throws(TemplateError) in try bind(filter, inner) },
                try self.body(body.statements, inner), line: line)
        case .macro(_, let name, let definition):
            guard let (_, slot) = place.symbols.find(name) else { preconditionFailure("a macro's name is stored") }
            return .macro(slot: slot, name: name, try bind(definition, place))
        case .callBlock(let call, let definition):
            return .callBlock(try bind(call, place), try bind(definition, place))
        case .generation(let definition): return .generation(try bind(definition, place))
        case .filterBlock(let filter, let body):
            var inner = place.inner()
            inner.symbols.visit(body.statements)
            inner.symbols.visit(filter)
            return .filterBlock(try bind(filter, inner), try self.body(body.statements, inner))
        case .with(let values, let body, let line):
            var inner = place.inner()
            for (target, _) in values { inner.symbols.declare(target) }
            inner.symbols.visit(body.statements)
            var bound: [(target: Statement.Target, value: Expression)] = []
            for (target, value) in values { bound.append((try bind(target, inner), try bind(value, place))) }
            return .with(bound, try self.body(body.statements, inner), line: line)
        case .breakLoop, .continueLoop:
            guard place.isInLoop else {
                throw TemplateError(kind: .syntax, message: "'break' or 'continue' outside loop", line: 0)
            }
            return statement
        }
    }

    /// A body whose scope is the place's own.
    private static func body(_ statements: [Statement], _ place: Place) throws(TemplateError) -> Statement.Body {
        Statement.Body(statements: try bind(statements, place), scope: place.symbols.scope)
    }

    private static func bind(_ loop: Statement.Loop, _ place: Place) throws(TemplateError) -> Statement.Loop {
        try refuseLoopVariable(loop.target)
        var result = loop
        result.iterable = try bind(loop.iterable, place)

        var inside = place.inner()
        inside.isInLoop = true
        inside.isBelowLoop = true
        inside.symbols.declare("loop")
        inside.symbols.declare(loop.target)
        inside.symbols.visit(loop.body.statements)
        guard let (_, slot) = inside.symbols.find("loop") else { preconditionFailure("loop was declared") }
        result.loopSlot = slot
        result.target = try bind(loop.target, inside)
        result.body = try body(loop.body.statements, inside)

        var testing = place.inner()
        testing.symbols.declare(loop.target)
        if let test = loop.test {
            testing.symbols.visit(test)
            result.test = try bind(test, testing)
        }
        result.testTarget = try bind(loop.target, testing)
        result.testScope = testing.symbols.scope

        var otherwise = place.inner()
        otherwise.isBelowLoop = true
        if loop.isRecursive { otherwise.isInLoop = false }
        otherwise.symbols.visit(loop.otherwise.statements)
        result.otherwise = try body(loop.otherwise.statements, otherwise)
        return result
    }

    private static func bind(
        _ definition: Statement.MacroDefinition, _ place: Place
    ) throws(TemplateError) -> Statement.MacroDefinition {
        var inner = place.inner()
        inner.isInLoop = false
        for (name, _) in definition.parameters { inner.symbols.declare(name) }
        for (_, fallback) in definition.parameters { if let fallback { inner.symbols.visit(fallback) } }
        let names = Set(definition.parameters.map(\.name))
        var special: [String: Bool] = [:]
        for name in ["caller", "kwargs", "varargs"] {
            guard definition.body.statements.firstMention(of: name) == .read else { continue }
            if names.contains(name) {
                guard
                    name != "caller" || definition.parameters.contains(where: { $0.name == name && $0.fallback != nil })
                else {
                    throw TemplateError(
                        kind: .syntax, message: "the special “caller” argument must be omitted or be given a default.",
                        line: definition.line)
                }
                special[name] = false
            } else {
                inner.symbols.declare(name)
                special[name] = true
            }
        }
        inner.symbols.visit(definition.body.statements)

        var result = definition
        result.parameters = []
        for (name, fallback) in definition.parameters {
            result.parameters.append(
                (name, try fallback.map { (fallback) throws(TemplateError) in try bind(fallback, inner) }))
            result.parameterSlots.append(inner.symbols.find(name)?.slot ?? 0)
        }
        if special["caller"] == true { result.callerSlot = inner.symbols.find("caller")?.slot }
        if special["kwargs"] == true { result.keywordsSlot = inner.symbols.find("kwargs")?.slot }
        if special["varargs"] == true { result.restSlot = inner.symbols.find("varargs")?.slot }
        result.body = try body(definition.body.statements, inner)
        return result
    }

    private static func bind(_ target: Statement.Target, _ place: Place) throws(TemplateError) -> Statement.Target {
        switch target {
        case .name(let name, let line):
            guard name != "loop" || !place.isBelowLoop else { throw loopVariableFailure(line) }
            guard let (_, slot) = place.symbols.find(name) else { preconditionFailure("a target's name is stored") }
            return .slot(slot)
        case .slot: return target
        case .attribute(let namespace, let name): return .attribute(of: try bind(namespace, place), name)
        case .tuple(let parts):
            var bound: [Statement.Target] = []
            for part in parts { bound.append(try bind(part, place)) }
            return .tuple(bound)
        }
    }

    private static func refuseLoopVariable(_ target: Statement.Target) throws(TemplateError) {
        switch target {
        case .name("loop", let line): throw loopVariableFailure(line)
        case .tuple(let parts): for part in parts { try refuseLoopVariable(part) }
        default: break
        }
    }

    private static func loopVariableFailure(_ line: Int) -> TemplateError {
        TemplateError(kind: .syntax, message: "Can't assign to special loop variable in for-loop target", line: line)
    }

    private static func bind(_ expression: Expression, _ place: Place) throws(TemplateError) -> Expression {
        switch expression.kind {
        case .name(let name):
            guard let (framesUp, slot) = place.symbols.find(name) else {
                preconditionFailure("the name \(name) was not noted in its scope")
            }
            return Expression(
                kind: .variable(Variable(name: name, framesUp: framesUp, slot: slot)), line: expression.line, depth: 1)
        case .filter(_, let name, _):
            try check(FilterName.status(of: name), "filter", name, expression.line, place)
        case .test(_, let name, _):
            try check(TestName.status(of: name), "test", name, expression.line, place)
        default: break
        }
        var inner = place
        if case .conditional = expression.kind { inner.isBranch = true }
        return try expression.mapChildren { (child) throws(TemplateError) in try bind(child, inner) }
    }

    private static func check(
        _ status: NameStatus, _ what: String, _ name: String, _ line: Int, _ place: Place
    ) throws(TemplateError) {
        guard status == .unknown, !place.isBranch else { return }
        throw TemplateError(kind: .syntax, message: "No \(what) named '\(name)'.", line: line)
    }
}

/// Whether Jinja2 knows a filter or test, and whether Heddle does.
enum NameStatus {
    case supported
    /// Refused where it is reached.
    case unsupported
    case unknown
}
