/// Decides whose turn it is among lanes with something waiting: each gives one element in its turn, its own in order.
public struct RoundRobin<Lane: Hashable & Sendable, Element: Sendable>: Sendable {
    /// Elements that wait in one lane at most.
    public let depthMax: Int
    /// Lanes with something waiting; the first is next.
    private var turns: [Lane] = []
    /// By lane, the next element last.
    private var waiting: [Lane: [Element]] = [:]

    public init(depthMax: Int) {
        precondition(depthMax > 0, "a lane has room for one element at least")
        self.depthMax = depthMax
    }

    public var isEmpty: Bool { turns.isEmpty }

    /// Puts an element behind the others of its lane; false where the lane is full.
    public mutating func add(_ element: Element, to lane: Lane) -> Bool {
        let depth = waiting[lane]?.count ?? 0
        guard depth < depthMax else { return false }
        if depth == 0 { turns.append(lane) }
        waiting[lane, default: []].insert(element, at: 0)
        return true
    }

    /// Takes the element whose turn it is; its lane goes to the end.
    public mutating func next() -> Element? {
        guard !turns.isEmpty else { return nil }
        let lane = turns.removeFirst()
        let element = waiting[lane]?.popLast()
        if waiting[lane]?.isEmpty == true { waiting[lane] = nil } else { turns.append(lane) }
        return element
    }

    /// Takes out everything, in the order of turns.
    public mutating func removeAll() -> [Element] {
        var elements: [Element] = []
        while let element = next() { elements.append(element) }
        return elements
    }
}
