/// Decides which variable each name of a scope means, by the rules of Jinja2's `idtracking`: what a scope sets anywhere
/// is its own variable, and what only a branch sets starts with the outer value.
struct Symbols {
    /// The slots of one scope; all branches of it share them.
    final class Slots {
        private var byName: [String: Int] = [:]
        private(set) var count = 0

        func slot(_ name: String) -> Int {
            if let slot = byName[name] { return slot }
            byName[name] = count
            count += 1
            return count - 1
        }
    }

    /// The scopes around, innermost first.
    let outer: [Symbols]
    let slots = Slots()
    private(set) var references: [String: Int] = [:]
    private(set) var starts: [Int: Scope.Start] = [:]
    private var stores: Set<String> = []

    init(outer: [Symbols]) { self.outer = outer }

    /// Where a name's value lives; nil for a name that nothing here mentions.
    func find(_ name: String) -> (framesUp: Int, slot: Int)? {
        if let slot = references[name] { return (0, slot) }
        return findOutside(name)
    }

    private func findOutside(_ name: String) -> (framesUp: Int, slot: Int)? {
        for (index, symbols) in outer.enumerated() {
            if let slot = symbols.references[name] { return (index + 1, slot) }
        }
        return nil
    }

    private mutating func define(_ name: String, _ start: Scope.Start) {
        let slot = slots.slot(name)
        references[name] = slot
        starts[slot] = start
    }

    mutating func load(_ name: String) {
        if find(name) == nil { define(name, .resolved(Text(name))) }
    }

    mutating func store(_ name: String) {
        stores.insert(name)
        guard references[name] == nil else { return }
        if let (framesUp, slot) = findOutside(name) {
            define(name, .copied(framesUp: framesUp, slot: slot))
        } else {
            define(name, .missing)
        }
    }

    mutating func declare(_ name: String) {
        stores.insert(name)
        define(name, .given)
    }

    mutating func merge(branches: [Symbols]) {
        var stored: [String] = []
        for branch in branches {
            for name in branch.stores.sorted() where !stores.contains(name) && !stored.contains(name) {
                stored.append(name)
            }
        }
        for branch in branches {
            references.merge(branch.references) { $1 }
            starts.merge(branch.starts) { $1 }
            stores.formUnion(branch.stores)
        }
        for name in stored {
            guard let slot = references[name] else { continue }
            if let (framesUp, outerSlot) = findOutside(name) {
                starts[slot] = .copied(framesUp: framesUp, slot: outerSlot)
            } else {
                starts[slot] = .resolved(Text(name))
            }
        }
    }

    /// What a frame needs to start.
    var scope: Scope {
        Scope(starts: (0..<slots.count).map { starts[$0] ?? .missing })
    }
}

extension Symbols {
    // MARK: the names of statements, without what has scopes of its own

    mutating func visit(_ statements: [Statement]) { for statement in statements { visit(statement) } }

    private mutating func visit(_ statement: Statement) {
        switch statement {
        case .data, .breakLoop, .continueLoop, .generation: break
        case .output(let value): visit(value)
        case .branches(let branches, let otherwise): visitBranches(branches[...], otherwise)
        case .loop(let loop): visit(loop.iterable)
        case .set(let target, let value):
            visit(value)
            visit(target)
        case .setBlock(let target, _, _, _): visit(target)
        case .macro(_, let name, _): store(name)
        case .callBlock(let call, _): visit(call)
        case .filterBlock(let filter, _): visit(filter)
        case .with(let values, _, _): for (_, value) in values { visit(value) }
        }
    }

    /// Jinja2 reads `elif` as an `if` of its own beside the first one's body and `else`.
    private mutating func visitBranches(
        _ branches: ArraySlice<(test: Expression, body: [Statement])>, _ otherwise: [Statement]
    ) {
        guard let first = branches.first else { return }
        visit(first.test)
        var body = self
        body.visit(first.body)
        var rest = self
        for branch in branches.dropFirst() { rest.visitBranches([branch], []) }
        var last = self
        last.visit(otherwise)
        merge(branches: [body, rest, last])
    }

    mutating func visit(_ target: Statement.Target) {
        switch target {
        case .name(let name, _): store(name)
        case .slot: break
        case .attribute(let namespace, _): visit(namespace)
        case .tuple(let parts): for part in parts { visit(part) }
        }
    }

    mutating func declare(_ target: Statement.Target) {
        switch target {
        case .name(let name, _): declare(name)
        case .slot, .attribute: break
        case .tuple(let parts): for part in parts { declare(part) }
        }
    }

    mutating func visit(_ expression: Expression) {
        if case .name(let name) = expression.kind {
            load(name)
        } else {
            for child in expression.children { visit(child) }
        }
    }
}
