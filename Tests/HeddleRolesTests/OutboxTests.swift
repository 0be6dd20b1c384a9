import HeddleActors
import HeddleCore
import HeddleRoles
import HeddleTransport
import Testing

struct OutboxTests {
    /// What a receiver took, and what it answers to the next calls.
    private final class Receiver: Sendable {
        let taken = Locked<[[Int]]>([])
        let failures = Locked<[any Error]>([])
        let signal: AsyncStream<Int>
        private let continuation: AsyncStream<Int>.Continuation

        init(failing: [any Error] = []) {
            (signal, continuation) = AsyncStream.makeStream(of: Int.self)
            failures.withLock { $0 = failing }
        }

        func take(_ batch: [Int]) throws {
            if let error = failures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw error }
            taken.withLock { $0.append(batch) }
            continuation.yield(batch.count)
        }

        func gaveUp(_ count: Int) { continuation.yield(count) }

        /// Returns when so many messages were taken or given up.
        func wait(for count: Int) async {
            var seen = 0
            for await more in signal {
                seen += more
                if seen >= count { return }
            }
        }
    }

    @Test func messagesArriveOnceAndInOrder() async {
        let receiver = Receiver()
        let outbox = Outbox<Int>(send: { try receiver.take($0) }, gaveUp: { _, _ in })
        for number in 0..<2_000 { outbox.post(number) }
        await receiver.wait(for: 2_000)
        #expect(receiver.taken.withLock { $0.flatMap(\.self) } == Array(0..<2_000))
    }

    @Test func aFailedCallIsMadeAgainWithTheSameMessages() async {
        let receiver = Receiver(failing: [
            RemoteCallError.nodeUnreachable(NodeName("a")), RemoteCallError.deadlineExceeded(after: .seconds(1)),
        ])
        let outbox = Outbox<Int>(send: { try receiver.take($0) }, gaveUp: { _, _ in })
        outbox.post(1)
        outbox.post(2)
        await receiver.wait(for: 2)
        #expect(receiver.taken.withLock { $0.flatMap(\.self) } == [1, 2])
    }

    @Test func messagesToAnEarlierStartOfTheReceiverAreGivenUp() async {
        let gone = RemoteCallError.staleIncarnation(
            wanted: Incarnation(high: 0, low: 1), present: Incarnation(high: 0, low: 2))
        let receiver = Receiver(failing: [gone])
        let outbox = Outbox<Int>(send: { try receiver.take($0) }, gaveUp: { count, _ in receiver.gaveUp(count) })
        outbox.post(1)
        await receiver.wait(for: 1)
        #expect(receiver.taken.withLock { $0 }.isEmpty)
        outbox.post(2)
        await receiver.wait(for: 1)
        #expect(receiver.taken.withLock { $0 } == [[2]])
    }

    @Test func aClosedOutboxTakesNothing() {
        let receiver = Receiver()
        let outbox = Outbox<Int>(send: { try receiver.take($0) }, gaveUp: { _, _ in })
        outbox.close()
        outbox.post(1)
        #expect(outbox.depth == 0)
    }

    @Test func aFullOutboxGivesUpWhatIsNew() async {
        let receiver = Receiver()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let outbox = Outbox<Int>(
            depthMax: 2,
            send: {
                for await _ in gate { break }
                try receiver.take($0)
            }, gaveUp: { count, _ in receiver.gaveUp(count) })
        for number in 0..<8 { outbox.post(number) }
        #expect(outbox.depth <= 2)
        for _ in 0..<8 { open.yield() }
        await receiver.wait(for: 8)
        let taken = receiver.taken.withLock { $0.flatMap(\.self) }
        #expect(taken == taken.sorted() && taken.count < 8)
    }

    @Test func messagesThatAreTooLargeForOneCallGoInSeveral() async {
        let taken = Locked<[[Int]]>([])
        let gaveUp = Locked<[Int]>([])
        let (signal, continuation) = AsyncStream.makeStream(of: Int.self)
        // A call holds three of them; 99 alone is larger than any call may be.
        let outbox = Outbox<Int>(
            send: { batch in
                if batch.count > 3 || batch.contains(99) {
                    throw RemoteCallError.notSent(.messageTooLarge(byteCount: batch.count, byteCountMax: 3))
                }
                taken.withLock { $0.append(batch) }
                continuation.yield(batch.count)
            },
            gaveUp: { count, _ in
                gaveUp.withLock { $0.append(count) }
                continuation.yield(count)
            })
        for number in 0..<20 { outbox.post(number == 7 ? 99 : number) }
        var seen = 0
        for await count in signal {
            seen += count
            if seen == 20 { break }
        }
        #expect(taken.withLock { $0.flatMap(\.self) } == (0..<20).filter { $0 != 7 })
        #expect(gaveUp.withLock { $0 } == [1])
    }
}
