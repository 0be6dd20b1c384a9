import HeddleCore
import Testing

@Suite struct TenantLanesTests {
    private func lanes(_ shares: [(String, Int)], depth: Int = 8) throws -> TenantLanes {
        var lanes = TenantLanes(limits: try TenancyLimits(promptTokenCost: 1, generatedTokenCost: 2))
        for (tenant, weight) in shares {
            try lanes.setShare(TenantShare(tenant: TenantName(tenant), weight: weight, laneDepthMax: depth))
        }
        return lanes
    }

    private func waiting(_ ticket: Ticket, fits: Bool = true) -> TenantLanes.Waiting {
        TenantLanes.Waiting(ticket: ticket, enqueued: at(0), deadline: at(1000), fits: fits)
    }

    private func counters(_ lanes: TenantLanes) -> [UInt64] {
        lanes.lanes.map { $0.counter / TenantLanes.virtualToken }
    }

    @Test func theTenantWithTheSmallestCounterIsNextAndTiesGoByName() throws {
        var lanes = try lanes([("b", 1), ("a", 1)])
        try lanes.append(waiting(ticket(1, tenant: "b", prompt: 10)), atFront: false)
        try lanes.append(waiting(ticket(2, tenant: "a", prompt: 30)), atFront: false)
        try lanes.append(waiting(ticket(3, tenant: "a", prompt: 10)), atFront: false)
        try lanes.append(waiting(ticket(4, tenant: "b", prompt: 10)), atFront: false)
        var order: [RequestID] = []
        while let next = lanes.next {
            order.append(next.ticket.request)
            lanes.take(next)
        }
        #expect(order == [request(2), request(1), request(4), request(3)])
        #expect(counters(lanes) == [40, 20])
    }

    @Test func chargesAreDividedByTheWeight() throws {
        var lanes = try lanes([("a", 1), ("b", 4)])
        for name in ["a", "b"] { lanes.charge(TenantName(name), generatedTokenCount: 100) }
        #expect(counters(lanes) == [200, 50])
    }

    @Test func aTenantThatComesBackIsLiftedToTheSmallestWaiting() throws {
        var lanes = try lanes([("a", 1), ("b", 1), ("c", 1)])
        lanes.charge(TenantName("a"), generatedTokenCount: 50)
        lanes.charge(TenantName("b"), generatedTokenCount: 70)
        try lanes.append(waiting(ticket(1, tenant: "b")), atFront: false)
        try lanes.append(waiting(ticket(2, tenant: "a")), atFront: false)
        // a came back after b had begun to wait; then c, to the smaller of the two.
        #expect(counters(lanes) == [140, 140, 0])
        try lanes.append(waiting(ticket(3, tenant: "c")), atFront: false)
        #expect(counters(lanes) == [140, 140, 140])
    }

    @Test func whenNobodyWaitsATenantIsLiftedToTheOneThatLeftLast() throws {
        var lanes = try lanes([("a", 1), ("b", 1)])
        try lanes.append(waiting(ticket(1, tenant: "a", prompt: 25)), atFront: false)
        lanes.take(try #require(lanes.next))
        lanes.charge(TenantName("a"), generatedTokenCount: 10)
        try lanes.append(waiting(ticket(2, tenant: "b")), atFront: false)
        #expect(counters(lanes) == [45, 45])
    }

    @Test func aFullLaneIsATypedErrorExceptForOneThatComesBack() throws {
        var lanes = try lanes([("a", 1)], depth: 2)
        try lanes.append(waiting(ticket(1)), atFront: false)
        try lanes.append(waiting(ticket(2)), atFront: false)
        #expect(throws: RequestError.tenantLaneFull(depthMax: 2)) {
            try lanes.append(waiting(ticket(3)), atFront: false)
        }
        try lanes.append(waiting(ticket(4)), atFront: true)
        #expect(lanes.next?.ticket.request == request(4))
        #expect(throws: RequestError.unknownTenant(TenantName("z"))) {
            try lanes.append(waiting(ticket(5, tenant: "z")), atFront: false)
        }
    }

    @Test func aTicketThatFitsNowhereKeepsNobodyFromATurn() throws {
        var lanes = try lanes([("a", 1), ("b", 1)])
        try lanes.append(waiting(ticket(1, tenant: "a"), fits: false), atFront: false)
        try lanes.append(waiting(ticket(2, tenant: "b")), atFront: false)
        #expect(lanes.next?.ticket.request == request(2))
        try lanes.append(waiting(ticket(3, tenant: "a")), atFront: false)
        #expect(lanes.next?.ticket.request == request(3))
        lanes.refit { _ in true }
        #expect(lanes.next?.ticket.request == request(1))
    }

    @Test func aTicketSaturatesInsteadOfOverflowing() {
        #expect(ticket(1, prompt: .max, max: .max, choices: .max).kvTokenCountMax == .max)
        #expect(ticket(1, prompt: 10, max: 7, choices: 3).kvTokenCountMax == 96)
    }
}
