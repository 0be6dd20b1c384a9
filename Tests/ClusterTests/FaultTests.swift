import Foundation
import HeddleClient
import HeddleCore
import Synchronization
import Testing

/// What is done to a process while requests run.
enum Fault: Sendable, CustomTestStringConvertible {
    case kill(String)
    /// Stopped for as long, then let go on.
    case pause(String, Duration)

    var testDescription: String {
        switch self {
        case .kill(let node): "kill -9 of \(node)"
        case .pause(let node, let duration): "\(node) stands still for \(duration)"
        }
    }

    var node: String {
        switch self {
        case .kill(let node), .pause(let node, _): node
        }
    }

    func happen(to mesh: RunningMesh) async throws {
        switch self {
        case .kill(let node): try mesh.send(SIGKILL, to: node)
        case .pause(let node, let duration):
            try mesh.send(SIGSTOP, to: node)
            // The pause is the fault itself.
            try await Task.sleep(for: duration)
            try mesh.send(SIGCONT, to: node)
        }
    }
}

extension WholeMesh {
    /// The loss of any one process: nobody hangs, no token is wrong, and the mesh becomes whole again.
    @Suite struct FaultTests {
        @Suite(.mesh(.twoGroups)) struct TwoGroups {
            @Test(
                .timeLimit(.minutes(2)),
                arguments: [
                    Fault.kill("g0-rank-0"), .kill("g0-rank-1"), .kill("g1-rank-0"), .kill("g1-rank-1"), .kill("queue"),
                    .kill("cache"), .kill("router"), .pause("g1-rank-1", .milliseconds(300)),
                    .pause("g0-rank-0", .seconds(2)),
                    .pause("queue", .seconds(2)), .pause("router", .seconds(2)), .pause("cache", .seconds(2)),
                ])
            func requestsSurvive(fault: Fault) async throws {
                try await FaultTests.expectSurvival(of: fault, on: RunningMesh.current)
            }
        }

        @Suite(.mesh(.frontAndTwoRanks)) struct OneGroup {
            @Test(
                .timeLimit(.minutes(2)),
                arguments: [
                    Fault.kill("worker-0"), .kill("worker-1"), .pause("worker-1", .milliseconds(300)),
                    .pause("worker-1", .seconds(3)), .pause("worker-0", .seconds(3)), .pause("front", .seconds(2)),
                    .kill("front"),
                ])
            func requestsSurvive(fault: Fault) async throws {
                try await FaultTests.expectSurvival(of: fault, on: RunningMesh.current)
            }
        }

        /// The ranks add over sockets, as they do on different hosts.
        @Suite(.mesh(.frontAndTwoRanks, changing: { $0.replacing("threads: 1", with: "collective: zeromq") }))
        struct OverZeroMQ {
            @Test(
                .timeLimit(.minutes(2)),
                arguments: [
                    Fault.kill("worker-0"), .kill("worker-1"), .pause("worker-1", .milliseconds(300)),
                    .pause("worker-1", .seconds(3)), .pause("worker-0", .seconds(3)),
                ])
            func requestsSurvive(fault: Fault) async throws {
                try await FaultTests.expectSurvival(of: fault, on: RunningMesh.current)
            }
        }

        static func expectSurvival(of fault: Fault, on mesh: RunningMesh) async throws {
            let client = try mesh.client()
            defer { client.close() }
            let before = try await mesh.whole()
            let requests = (0..<8).map { index in
                var sampling = RequestedSampling(temperature: 100, seed: UInt64(index), tokenCountMax: 250)
                if index % 4 == 0 { sampling = RequestedSampling(tokenCountMax: 100) }
                if index == 3 { sampling.choiceCount = 3 }
                if index == 5 {
                    (sampling.repetitionPenalty, sampling.presencePenalty, sampling.frequencyPenalty) = (1.5, 1, 0.5)
                    sampling.promptLogprobCount = 1
                }
                if index == 6 { sampling.bestOf = 3 }
                return ClientSubmission.request(
                    "Number \(index).", model: Topology.adapters[index % 7], tenant: index % 2 == 0 ? "acme" : "dune",
                    sampling: sampling, deadline: .seconds(40))
            }
            let wanted = await client.answers(to: requests.map(\.again))
            #expect(wanted.allSatisfy { $0.failure == nil })

            let began = ContinuousClock.now
            let openCount = Mutex(requests.count)
            async let found = client.answers(to: requests.map(\.again)) { _ in openCount.withLock { $0 -= 1 } }
            _ = try await eventually("decoding requests", look: { try await mesh.picture() }) { picture in
                picture.requests.contains { $0.generatedTokenCount > 4 }
            }
            try await fault.happen(to: mesh)
            if case .kill = fault { #expect(openCount.withLock { $0 } > 0, "the fault came too late to matter") }
            let answers = await found
            let took = ContinuousClock.now - began
            #expect(took < .seconds(42), "nobody hangs past the deadline: \(took)")
            expectSame(answers, wanted, "meanwhile")
            let after = try await mesh.whole()
            try await mesh.idle()
            // No other process than the killed one is another than before.
            for node in after.nodes {
                guard let earlier = before.nodes.first(where: { $0.name == node.name }) else { continue }
                if case .kill(node.name.text) = fault {
                    #expect(node.processID != earlier.processID)
                } else {
                    #expect(node.processID == earlier.processID, "\(node.name) is another process")
                }
            }
            let afterwards = await client.answers(to: requests.map(\.again))
            expectSame(afterwards, wanted, "afterwards")
        }

        private static func expectSame(_ answers: [Answer], _ wanted: [Answer], _ moment: String) {
            for (index, (answer, wanted)) in zip(answers, wanted).enumerated() {
                #expect(answer.failure == nil, "request \(index), \(moment)")
                // Not the values: they are long.
                let isSame = answer.choices == wanted.choices && answer.promptLogprobs == wanted.promptLogprobs
                #expect(isSame, "request \(index), \(moment)")
            }
        }
    }
}
