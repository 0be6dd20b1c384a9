import HeddleCore
import Testing

@Suite struct ClientSessionsTests {
    private func at(_ milliseconds: Int) -> Instant {
        Instant(nanoseconds: 0).advanced(by: .milliseconds(milliseconds))
    }

    @Test func aConnectionKeepsItsNumber() {
        var sessions = ClientSessions()
        #expect(sessions.heard([1], at: at(0)) == .new(ClientRef(1)))
        #expect(sessions.heard([2], at: at(0)) == .new(ClientRef(2)))
        #expect(sessions.heard([1], at: at(1)) == .known(ClientRef(1)))
        #expect(sessions.routingID(of: ClientRef(2)) == [2])
        #expect(sessions.clientCount == 2)
    }

    @Test func aSilentClientIsGoneAndANumberIsNeverUsedAgain() {
        var sessions = ClientSessions()
        _ = sessions.heard([2], at: at(0))
        _ = sessions.heard([1], at: at(0))
        _ = sessions.heard([3], at: at(1))
        #expect(sessions.ticked(at: at(4999)) == [])
        #expect(sessions.ticked(at: at(5000)) == [ClientRef(1), ClientRef(2)])
        #expect(sessions.routingID(of: ClientRef(1)) == nil)
        #expect(sessions.heard([2], at: at(5000)) == .new(ClientRef(4)))
        #expect(sessions.ticked(at: at(5001)) == [ClientRef(3)])
    }

    @Test func aSignOfLifeCountsFromWhenItCame() {
        var sessions = ClientSessions()
        _ = sessions.heard([1], at: at(0))
        _ = sessions.heard([1], at: at(3000))
        #expect(sessions.ticked(at: at(7999)) == [])
        #expect(sessions.ticked(at: at(8000)) == [ClientRef(1)])
        #expect(sessions.ticked(at: at(9000)) == [])
    }

    @Test func aLostConnectionIsToldOnce() {
        var sessions = ClientSessions()
        _ = sessions.heard([1], at: at(0))
        #expect(sessions.lost([1]) == ClientRef(1))
        #expect(sessions.lost([1]) == nil)
        #expect(sessions.ticked(at: at(60_000)) == [])
    }

    @Test func aRouterListensToNoMoreClientsThanItsLimit() {
        var limits = ClientLimits()
        limits.clientCountMax = 2
        var sessions = ClientSessions(limits: limits)
        _ = sessions.heard([1], at: at(0))
        _ = sessions.heard([2], at: at(0))
        #expect(sessions.heard([3], at: at(0)) == .refused(.busy(retryAfter: .seconds(1))))
        #expect(sessions.heard([1], at: at(0)) == .known(ClientRef(1)))
        _ = sessions.lost([2])
        #expect(sessions.heard([3], at: at(0)) == .new(ClientRef(3)))
    }
}
