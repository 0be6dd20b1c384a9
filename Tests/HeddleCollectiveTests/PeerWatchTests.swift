import Foundation
import HeddleCollective
import Synchronization
import Testing

@Suite struct PeerWatchTests {
    @Test func aKilledProcessIsNoticedBeforeAnybodyReapsIt() throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("1000"), nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        #expect(posix_spawn(&process, "/bin/sleep", nil, nil, &arguments, nil) == 0)
        defer { waitpid(process, nil, 0) }
        let lost = Mutex<Int?>(nil)
        let noticed = DispatchSemaphore(value: 0)
        let watch = try PeerWatch([.init(rank: 3, process: process), .init(rank: 1, process: getppid())]) { rank in
            lost.withLock { $0 = rank }
            noticed.signal()
        }
        kill(process, SIGKILL)
        noticed.wait()
        #expect(lost.withLock { $0 } == 3)
        withExtendedLifetime(watch) {}
    }

    @Test func aProcessThatHasEndedAlreadyIsNamed() throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        #expect(posix_spawn(&process, "/bin/true", nil, nil, &arguments, nil) == 0)
        waitpid(process, nil, 0)
        #expect(throws: CollectiveError.rankLost(2)) { try PeerWatch([.init(rank: 2, process: process)]) { _ in } }
    }

    @Test func aWatchEndsWithItsOwner() throws {
        _ = try PeerWatch([.init(rank: 1, process: getppid())]) { _ in }
    }
}
