import Foundation
import HeddleCollective
import HeddleCore
import HeddleTransport
import Synchronization
import Testing

/// Whoever reaches the port of a group's rank 0 and is no rank of it disturbs nobody.
@Suite struct StrangerTests {
    @Test func garbageAtTheHubDisturbsNoSum() throws {
        let endpoint = "tcp://127.0.0.1:\(freePort())"
        let hasEnded = Atomic<Bool>(false)
        let said = Atomic<Int>(0)
        let gone = DispatchGroup()
        for seed in UInt64(1)...3 {
            gone.enter()
            let stranger = Thread {
                defer { gone.leave() }
                var generator = SeededGenerator(seed: seed)
                guard let socket = try? BlockingSocket(.dealer), (try? socket.connect(endpoint)) != nil else { return }
                while !hasEnded.load(ordering: .relaxed) {
                    // Nothing, cut headers, headers of every kind with any payload, too many frames.
                    let frames = (0...Int.random(in: 0...5, using: &generator)).map { position in
                        let count = [0, 1, 3, 8, 24, 32, 40, 300].randomElement(using: &generator) ?? 0
                        var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                        if position == 0, count > 0 { bytes[0] = UInt8.random(in: 0...9, using: &generator) }
                        return bytes
                    }
                    if (try? socket.send(frames, timeout: .milliseconds(50))) != nil { said.add(1, ordering: .relaxed) }
                }
            }
            stranger.start()
        }
        defer {
            hasEnded.store(true, ordering: .relaxed)
            gone.wait()
        }
        let slots = Slots(2)
        let done = DispatchGroup()
        for rank in 0..<2 {
            done.enter()
            Thread {
                slots[rank] = Result {
                    try ZeroMQCollective.open(
                        endpoint: endpoint, group: GroupName("g0"), epoch: Epoch(1), rank: rank, rankCount: 2)
                }
                done.leave()
            }.start()
        }
        done.wait()
        try checkMixOfCalls(try slots.all(), roundCount: 20)
        #expect(said.load(ordering: .relaxed) > 100)
    }
}
