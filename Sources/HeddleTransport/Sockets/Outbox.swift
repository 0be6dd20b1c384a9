/// Messages that wait for one peer because libzmq would not take them yet, in order.
struct Outbox {
    private var messages: [[[UInt8]]] = []
    private var first = 0

    var isEmpty: Bool { first == messages.count }

    mutating func append(_ frames: [[UInt8]]) { messages.append(frames) }

    /// The message that must go next.
    var next: [[UInt8]]? { isEmpty ? nil : messages[first] }

    mutating func removeNext() {
        messages[first] = []
        first += 1
        if first == messages.count || first > 1024 {
            messages.removeFirst(first)
            first = 0
        }
    }

    mutating func removeAll() -> Int {
        let byteCount = messages[first...].reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }
        self = Outbox()
        return byteCount
    }
}
