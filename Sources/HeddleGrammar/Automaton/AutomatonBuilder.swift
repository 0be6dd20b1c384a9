/// Lays the nodes of an automaton: those of any value first, then those of each rule that a value of the schema may need.
struct AutomatonBuilder {
    let rules: [RulePlan]
    let bytes: ByteSet
    let limits: GrammarLimits
    private var automaton: Automaton
    /// One character of a string, and the text of a key.
    private let character: ByteMachine
    private let keyText: ByteMachine
    private var starts: [Int: Int32] = [:]
    private var waiting: [Int] = []
    private var strings: [StringBounds: Int32] = [:]
    private var guards: [[Automaton.GuardRow]: Int32] = [:]
    /// Edges of the nodes that are being laid.
    private var edges: [[Automaton.Edge]] = []

    struct StringBounds: Hashable {
        let min: Int
        let max: Int?
    }

    init(rules: [RulePlan], bytes: ByteSet, limits: GrammarLimits) throws(SchemaError) {
        self.rules = rules
        self.bytes = bytes
        self.limits = limits
        automaton = Automaton(limits: limits)
        character = try RulePlanner.machine(ScalarText.free, bytes, limits)
        keyText = try RulePlanner.machine(ScalarText.plain.star, bytes, limits)
    }

    mutating func build(root: Int) throws(SchemaError) -> Automaton {
        _ = try string(min: 0, max: nil)
        _ = try start(of: 0)
        try layWaiting()
        automaton.sharedNodeCount = automaton.nodes.count
        automaton.start = try node(allowsSpace: true)
        let end = try node(isEnd: true)
        call(root, from: automaton.start, next: end, start: try start(of: root))
        try layWaiting()
        for (index, list) in edges.enumerated() {
            let first = Int32(automaton.edges.count)
            automaton.edges += list.sorted { ($0.lower, $0.target) < ($1.lower, $1.target) }
            automaton.nodes[index].edges = first..<Int32(automaton.edges.count)
        }
        return automaton
    }

    private mutating func layWaiting() throws(SchemaError) {
        while let rule = waiting.popLast() { try lay(rule) }
    }

    // MARK: Parts

    private mutating func node(isEnd: Bool = false, allowsSpace: Bool = false) throws(SchemaError) -> Int32 {
        guard automaton.nodes.count < limits.nodeCountMax else {
            throw .tooLarge(what: "states", countMax: limits.nodeCountMax)
        }
        automaton.nodes.append(Automaton.Node(isEnd: isEnd, allowsSpace: allowsSpace))
        edges.append([])
        return Int32(automaton.nodes.count - 1)
    }

    private mutating func edge(
        _ byte: Unicode.Scalar, from node: Int32, to target: Int32, rows: [Automaton.GuardRow]? = nil,
        counting: Automaton.Counting = .keep
    ) {
        let byte = UInt8(ascii: byte)
        edges[Int(node)].append(
            Automaton.Edge(
                lower: byte, upper: byte, target: target, guardIndex: index(of: rows), counting: counting))
    }

    private mutating func index(of rows: [Automaton.GuardRow]?) -> Int32 {
        guard let rows else { return -1 }
        if let known = guards[rows] { return known }
        automaton.guards.append(rows)
        guards[rows] = Int32(automaton.guards.count - 1)
        return Int32(automaton.guards.count - 1)
    }

    private mutating func call(_ rule: Int, from node: Int32, next: Int32, start: Int32) {
        automaton.nodes[Int(node)].call = start
        automaton.nodes[Int(node)].next = next
    }

    /// Where a rule starts; it is laid later.
    private mutating func start(of rule: Int) throws(SchemaError) -> Int32 {
        if let known = starts[rule] { return known }
        let start = try node()
        starts[rule] = start
        waiting.append(rule)
        return start
    }

    /// What calling a rule needs above the frame that calls it.
    private func need(_ rule: Int) -> Int32 { Int32((rules[rule].need ?? 0) + 1) }

    private mutating func lay(_ rule: Int) throws(SchemaError) {
        guard let start = starts[rule] else { return }
        let end = try node(isEnd: true)
        for alternative in rules[rule].alternatives {
            let first: Int32
            switch alternative {
            case .machine(let machine): first = try lay(machine)
            case .string(let min, let max):
                first = try node()
                let string = try string(min: min, max: max)
                automaton.nodes[Int(first)].call = string
                automaton.nodes[Int(first)].next = end
            case .array(let array): first = try lay(array, end: end)
            case .object(let object): first = try lay(object, end: end)
            }
            automaton.nodes[Int(first)].need = Int32(alternative.need(rules) ?? 0)
            automaton.nodes[Int(start)].steps.append(first)
        }
    }

    private mutating func lay(_ machine: ByteMachine) throws(SchemaError) -> Int32 {
        var places: [Int32] = []
        for state in machine.states { places.append(try node(isEnd: state.isEnd)) }
        for (index, state) in machine.states.enumerated() {
            edges[Int(places[index])] = state.edges.map {
                Automaton.Edge(lower: $0.lower, upper: $0.upper, target: places[$0.target])
            }
        }
        return places[0]
    }

    /// A string of bounded length, in a frame of its own that counts its characters.
    private mutating func string(min: Int, max: Int?) throws(SchemaError) -> Int32 {
        let bounds = StringBounds(min: min, max: max)
        if let known = strings[bounds] { return known }
        let (start, content, end) = (try node(), try node(), try node(isEnd: true))
        strings[bounds] = start
        automaton.contentNodes.append(content)
        edge("\"", from: start, to: content)
        let top = Int32(clamping: max ?? min)
        edge(
            "\"", from: content, to: end,
            rows: min > 0 ? [Automaton.GuardRow(lower: Int32(clamping: min), upper: .max, need: 0)] : nil)
        let counting: Automaton.Counting = top > 0 ? .count(upTo: top) : .keep
        let open = max.map { [Automaton.GuardRow(lower: 0, upper: Int32(clamping: $0) - 1, need: 0)] }
        let guardIndex = index(of: open)
        let machine = character
        // State 0 is the content; the states that end a character are the content again.
        var places: [Int32] = []
        for (index, state) in machine.states.enumerated() {
            places.append(index == 0 || state.isEnd ? content : try node())
        }
        for (index, state) in machine.states.enumerated() where !state.isEnd {
            for part in state.edges {
                edges[Int(places[index])].append(
                    Automaton.Edge(
                        lower: part.lower, upper: part.upper, target: places[part.target],
                        guardIndex: index == 0 ? guardIndex : -1, counting: index == 0 ? counting : .keep))
            }
        }
        return start
    }

    private mutating func lay(_ array: RulePlan.Array, end: Int32) throws(SchemaError) -> Int32 {
        let (first, open) = (try node(), try node(allowsSpace: true))
        edge("[", from: first, to: open)
        let max = array.max ?? .max
        if array.min == 0 { edge("]", from: open, to: end) }
        guard max > 0 else { return first }
        let prefixCount = Swift.min(array.prefix.count, max)
        var before = open
        for index in 0..<prefixCount {
            let after = try node(allowsSpace: true)
            let rule = array.rule(at: index)
            call(rule, from: before, next: after, start: try start(of: rule))
            if index + 1 >= array.min { edge("]", from: after, to: end) }
            guard index + 1 < max else { return first }
            let next = array.rule(at: index + 1)
            before = try node(allowsSpace: true)
            // Behind the prefix the frame counts the commas before such elements.
            let isRest = index + 1 == prefixCount
            edge(
                ",", from: after, to: before, rows: [Automaton.GuardRow(lower: 0, upper: .max, need: need(next))],
                counting: isRest ? .set(1) : .keep)
        }
        let base = Swift.max(prefixCount, 1)
        let after = try node(allowsSpace: true)
        call(array.rest, from: before, next: after, start: try start(of: array.rest))
        let least = Swift.max(0, array.min - base)
        edge(
            "]", from: after, to: end,
            rows: least > 0 ? [Automaton.GuardRow(lower: Int32(clamping: least), upper: .max, need: 0)] : nil)
        guard max > base else { return first }
        let again = try node(allowsSpace: true)
        call(array.rest, from: again, next: after, start: try start(of: array.rest))
        let upper = array.max.map { Int32(clamping: $0 - base - 1) } ?? .max
        let top = array.max.map { Int32(clamping: $0 - base) } ?? Int32(clamping: least)
        edge(
            ",", from: after, to: again,
            rows: [Automaton.GuardRow(lower: 0, upper: upper, need: need(array.rest))],
            counting: top > 0 ? .count(upTo: top) : .keep)
        return first
    }
}

// MARK: Objects

/// Members come in the order of the schema, those that it does not name last. The frame's counter is the place of the first
/// property that may still come, so that one set of nodes serves whichever optional ones were left out.
extension AutomatonBuilder {
    private mutating func lay(_ object: RulePlan.Object, end: Int32) throws(SchemaError) -> Int32 {
        let (first, open) = (try node(), try node(allowsSpace: true))
        let (after, before) = (try node(allowsSpace: true), try node(allowsSpace: true))
        edge("{", from: first, to: open)
        let properties = object.properties
        let lastRequired = Int32(properties.lastIndex { $0.isRequired } ?? -1)
        var keys = KeyTree()
        var previousRequired: Int32 = -1
        for (index, property) in properties.enumerated() {
            let row = Automaton.GuardRow(lower: previousRequired + 1, upper: Int32(index), need: need(property.rule))
            // Its name is none that other members may have, whether or not it can be written.
            let isPossible = rules[property.rule].need != nil && property.key.allSatisfy(bytes.contains)
            keys.insert(property.key, index: index, row: isPossible ? row : nil)
            if property.isRequired { previousRequired = Int32(index) }
        }
        let count = Int32(properties.count)
        let others = object.additional.map { rule in
            Automaton.GuardRow(lower: lastRequired + 1, upper: max(count, 1), need: need(rule))
        }
        let rows = keys.rows(below: 0, with: others)
        if lastRequired < 0 { edge("}", from: open, to: end) }
        edge(
            "}", from: after, to: end,
            rows: lastRequired < 0 ? nil : [Automaton.GuardRow(lower: lastRequired + 1, upper: .max, need: 0)])
        guard !rows.isEmpty else { return first }
        let key = try layKeys(keys, others: others)
        edge("\"", from: open, to: key.start, rows: rows)
        edge(",", from: after, to: before, rows: rows)
        edge("\"", from: before, to: key.start, rows: rows)
        for leaf in key.leaves {
            let (colon, value) = (try node(allowsSpace: true), try node(allowsSpace: true))
            let rule = leaf.index.map { properties[$0].rule } ?? object.additional ?? 0
            edge(
                "\"", from: leaf.node, to: colon, rows: [leaf.row],
                counting: .set(leaf.index.map { Int32($0) + 1 } ?? max(count, 1)))
            edge(":", from: colon, to: value)
            call(rule, from: value, next: after, start: try start(of: rule))
        }
        return first
    }

    private struct Keys {
        var start: Int32
        var leaves: [(node: Int32, index: Int?, row: Automaton.GuardRow)]
    }

    /// Lays what may stand between a key's quotes: the names, and where others may come every plainly written text but those.
    private mutating func layKeys(
        _ tree: KeyTree, others: Automaton.GuardRow?
    ) throws(SchemaError) -> Keys {
        let free = others == nil ? nil : keyText
        // A place in the tree or -1, and a state of the free text or -1.
        let origin = SIMD2(0, free == nil ? -1 : 0)
        var places: [SIMD2<Int>: Int32] = [origin: try node()]
        var order = [origin]
        var keys = Keys(start: places[origin] ?? 0, leaves: [])
        var next = 0
        while next < order.count {
            let pair = order[next]
            next += 1
            guard let node = places[pair] else { continue }
            let isFreeEnd = pair[1] >= 0 && free?.states[pair[1]].isEnd == true
            if pair[0] >= 0, let index = tree.nodes[pair[0]].index {
                if let row = tree.nodes[pair[0]].row { keys.leaves.append((node, index, row)) }
            } else if isFreeEnd, let others {
                keys.leaves.append((node, nil, others))
            }
            for (bytes, target) in targets(of: pair, tree, free) {
                let rows = tree.rows(below: target[0], with: target[1] >= 0 ? others : nil)
                guard !rows.isEmpty else { continue }
                if places[target] == nil {
                    places[target] = try self.node()
                    order.append(target)
                }
                edges[Int(node)].append(
                    Automaton.Edge(
                        lower: bytes.lowerBound, upper: bytes.upperBound, target: places[target] ?? 0,
                        guardIndex: index(of: rows)))
            }
        }
        return keys
    }

    private func targets(
        of pair: SIMD2<Int>, _ tree: KeyTree, _ free: ByteMachine?
    ) -> [(ClosedRange<UInt8>, SIMD2<Int>)] {
        let named = pair[0] >= 0 ? tree.nodes[pair[0]].children : [:]
        var result: [(ClosedRange<UInt8>, SIMD2<Int>)] = []
        let freeEdges = pair[1] >= 0 ? free?.states[pair[1]].edges ?? [] : []
        for byte in named.keys.sorted() {
            let freeTarget = freeEdges.first { $0.lower <= byte && byte <= $0.upper }?.target ?? -1
            result.append((byte...byte, SIMD2(named[byte] ?? -1, freeTarget)))
        }
        for edge in freeEdges {
            // The runs between the bytes on which a name goes on.
            var start = Int(edge.lower)
            for byte in named.keys.sorted() + [UInt8.max] where byte >= edge.lower {
                let isLast = byte > edge.upper || (byte == .max && named[byte] == nil)
                let end = isLast ? Int(edge.upper) : Int(byte) - 1
                if start <= end { result.append((UInt8(start)...UInt8(end), SIMD2(-1, edge.target))) }
                if isLast { break }
                start = Int(byte) + 1
            }
        }
        return result
    }
}

/// The names of an object's properties, letter by letter.
private struct KeyTree {
    struct Node {
        var children: [UInt8: Int] = [:]
        var index: Int?
        var row: Automaton.GuardRow?
        /// Of all names that go on from here.
        var rows: Set<Automaton.GuardRow> = []
    }

    var nodes = [Node()]

    mutating func insert(_ key: [UInt8], index: Int, row: Automaton.GuardRow?) {
        var place = 0
        for byte in [nil] + key.map(Optional.some) {
            if let byte {
                if let next = nodes[place].children[byte] {
                    place = next
                } else {
                    nodes[place].children[byte] = nodes.count
                    place = nodes.count
                    nodes.append(Node())
                }
            }
            if let row { nodes[place].rows.insert(row) }
        }
        nodes[place].index = index
        nodes[place].row = row
    }

    /// When a key may go on at this place, merged where rows of equal need touch.
    func rows(below place: Int, with others: Automaton.GuardRow?) -> [Automaton.GuardRow] {
        var rows = place >= 0 ? nodes[place].rows : []
        if let others { rows.insert(others) }
        var merged: [Automaton.GuardRow] = []
        for row in rows.sorted(by: { ($0.need, $0.lower, $0.upper) < ($1.need, $1.lower, $1.upper) }) {
            if let last = merged.last, last.need == row.need, Int(row.lower) <= Int(last.upper) + 1 {
                merged[merged.count - 1].upper = max(last.upper, row.upper)
            } else {
                merged.append(row)
            }
        }
        return merged
    }
}
