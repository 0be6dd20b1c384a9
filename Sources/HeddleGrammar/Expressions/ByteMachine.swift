/// A deterministic automaton over bytes: what a `ByteExpression` becomes. State 0 is the start; every state reaches an end.
struct ByteMachine: Sendable {
    struct Edge: Hashable, Sendable {
        var lower: UInt8
        var upper: UInt8
        var target: Int
    }

    struct State: Sendable {
        /// By ascending bytes, none twice.
        var edges: [Edge] = []
        var isEnd = false
    }

    private(set) var states: [State]

    /// More states than a limit allows.
    struct TooLarge: Error {
        let stateCountMax: Int
    }

    /// The automaton of an expression (subset construction).
    init(_ expression: ByteExpression, stateCountMax: Int) throws(TooLarge) {
        var graph = Graph(nodeCountMax: stateCountMax * 8)
        let start = try graph.node()
        let end = try graph.node()
        try graph.add(expression, from: start, to: end)
        let classes = graph.classes()
        var first = [start]
        graph.close(&first)
        var index: [[Int]: Int] = [first: 0]
        var sets = [first]
        states = []
        while states.count < sets.count {
            let set = sets[states.count]
            var state = State(isEnd: set.contains(end))
            let moves = set.flatMap { graph.moves[$0] }
            var targetOfClass = [Int](repeating: -1, count: classes.firsts.count)
            for (number, byte) in classes.firsts.enumerated() where !moves.isEmpty {
                var targets = moves.compactMap { $0.bytes.contains(byte) ? $0.target : nil }
                guard !targets.isEmpty else { continue }
                graph.close(&targets)
                let target: Int
                if let known = index[targets] {
                    target = known
                } else {
                    target = sets.count
                    guard target < stateCountMax else { throw TooLarge(stateCountMax: stateCountMax) }
                    index[targets] = target
                    sets.append(targets)
                }
                targetOfClass[number] = target
            }
            for byte in UInt8.min...UInt8.max where targetOfClass[classes.ofByte[Int(byte)]] >= 0 {
                state.append(byte, targetOfClass[classes.ofByte[Int(byte)]])
            }
            states.append(state)
        }
        self = trimmed(by: .all)
    }

    private init(states: [State]) { self.states = states }

    /// Whether no byte string belongs to it.
    var isNothing: Bool { states.isEmpty || (states.count == 1 && states[0].edges.isEmpty && !states[0].isEnd) }

    func accepts(_ bytes: some Sequence<UInt8>) -> Bool {
        var state = 0
        for byte in bytes {
            guard let edge = states[state].edges.first(where: { $0.lower <= byte && byte <= $0.upper }) else {
                return false
            }
            state = edge.target
        }
        return states[state].isEnd
    }

    /// What belongs to both.
    func intersection(_ other: ByteMachine, stateCountMax: Int) throws(TooLarge) -> ByteMachine {
        var index: [SIMD2<Int>: Int] = [SIMD2(0, 0): 0]
        var pairs = [SIMD2(0, 0)]
        var product: [State] = []
        while product.count < pairs.count {
            let pair = pairs[product.count]
            let (left, right) = (states[pair[0]], other.states[pair[1]])
            var state = State(isEnd: left.isEnd && right.isEnd)
            for a in left.edges {
                for b in right.edges where a.lower <= b.upper && b.lower <= a.upper {
                    let target = SIMD2(a.target, b.target)
                    if index[target] == nil {
                        guard pairs.count < stateCountMax else { throw TooLarge(stateCountMax: stateCountMax) }
                        index[target] = pairs.count
                        pairs.append(target)
                    }
                    state.edges.append(
                        Edge(lower: max(a.lower, b.lower), upper: min(a.upper, b.upper), target: index[target] ?? 0))
                }
            }
            product.append(state)
        }
        return ByteMachine(states: product).trimmed(by: .all)
    }

    /// Without the states from which no end is reached by these bytes alone, and without those that the start does not reach.
    ///
    /// Edges on other bytes stay where their target does: a token of several bytes may take them.
    func trimmed(by bytes: ByteSet) -> ByteMachine {
        var isLive = states.map(\.isEnd)
        var sources = [[Int]](repeating: [], count: states.count)
        for (source, state) in states.enumerated() {
            for edge in state.edges where (edge.lower...edge.upper).contains(where: bytes.contains) {
                sources[edge.target].append(source)
            }
        }
        var waiting = states.indices.filter { isLive[$0] }
        while let target = waiting.popLast() {
            for source in sources[target] where !isLive[source] {
                isLive[source] = true
                waiting.append(source)
            }
        }
        guard isLive.first == true else { return ByteMachine(states: [State()]) }
        var place = [Int](repeating: -1, count: states.count)
        var order = [0]
        place[0] = 0
        var next = 0
        while next < order.count {
            for edge in states[order[next]].edges where isLive[edge.target] && place[edge.target] < 0 {
                place[edge.target] = order.count
                order.append(edge.target)
            }
            next += 1
        }
        return ByteMachine(
            states: order.map { source in
                var state = State(isEnd: states[source].isEnd)
                for edge in states[source].edges where isLive[edge.target] {
                    state.edges.append(Edge(lower: edge.lower, upper: edge.upper, target: place[edge.target]))
                }
                return state
            })
    }
}

extension ByteMachine.State {
    fileprivate mutating func append(_ byte: UInt8, _ target: Int) {
        if let last = edges.indices.last, edges[last].target == target, Int(edges[last].upper) + 1 == Int(byte) {
            edges[last].upper = byte
        } else {
            edges.append(ByteMachine.Edge(lower: byte, upper: byte, target: target))
        }
    }
}

/// Thompson's construction: the expression as a graph with empty steps.
private struct Graph {
    let nodeCountMax: Int
    var moves: [[(bytes: ByteSet, target: Int)]] = []
    var steps: [[Int]] = []

    init(nodeCountMax: Int) { self.nodeCountMax = nodeCountMax }

    mutating func node() throws(ByteMachine.TooLarge) -> Int {
        guard moves.count < nodeCountMax else { throw ByteMachine.TooLarge(stateCountMax: nodeCountMax / 8) }
        moves.append([])
        steps.append([])
        return moves.count - 1
    }

    mutating func add(_ expression: ByteExpression, from start: Int, to end: Int) throws(ByteMachine.TooLarge) {
        switch expression {
        case .byte(let bytes): moves[start].append((bytes, end))
        case .sequence(let parts):
            var place = start
            for part in parts.dropLast() {
                let next = try node()
                try add(part, from: place, to: next)
                place = next
            }
            if let last = parts.last { try add(last, from: place, to: end) } else { steps[start].append(end) }
        case .any(let parts):
            for part in parts {
                let (first, last) = (try node(), try node())
                steps[start].append(first)
                try add(part, from: first, to: last)
                steps[last].append(end)
            }
        case .repeated(let part, let min, let max):
            var place = start
            for _ in 0..<min {
                let next = try node()
                try add(part, from: place, to: next)
                place = next
            }
            if let max {
                steps[place].append(end)
                for _ in min..<Swift.max(min, max) {
                    let next = try node()
                    try add(part, from: place, to: next)
                    place = next
                    steps[place].append(end)
                }
            } else {
                let loop = try node()
                steps[place].append(loop)
                let last = try node()
                try add(part, from: loop, to: last)
                steps[last].append(loop)
                steps[loop].append(end)
            }
        }
    }

    /// Bytes that no move tells apart: the class of each, and the first byte of each.
    func classes() -> (ofByte: [Int], firsts: [UInt8]) {
        var ofByte = [Int](repeating: 0, count: 256)
        var count = 1
        for set in Set(moves.joined().map(\.bytes)) where count < 256 {
            var split: [Int: Int] = [:]
            for byte in UInt8.min...UInt8.max where set.contains(byte) {
                let old = ofByte[Int(byte)]
                if split[old] == nil { split[old] = count + split.count }
                ofByte[Int(byte)] = split[old] ?? old
            }
            // Numbers of classes that the set took whole are given away; they are few.
            var numbers: [Int: Int] = [:]
            for byte in 0..<256 {
                if numbers[ofByte[byte]] == nil { numbers[ofByte[byte]] = numbers.count }
                ofByte[byte] = numbers[ofByte[byte]] ?? 0
            }
            count = numbers.count
        }
        var firsts = [UInt8](repeating: 0, count: count)
        for byte in stride(from: 255, through: 0, by: -1) { firsts[ofByte[byte]] = UInt8(byte) }
        return (ofByte, firsts)
    }

    /// Adds what empty steps reach; sorted, each once.
    func close(_ nodes: inout [Int]) {
        var seen = Set(nodes)
        var waiting = Array(seen)
        while let node = waiting.popLast() {
            for next in steps[node] where seen.insert(next).inserted { waiting.append(next) }
        }
        // Nodes without a move that are not the end decide nothing, and would tell equal sets apart.
        nodes = seen.filter { !moves[$0].isEmpty || $0 == 1 }.sorted()
    }
}
