import HeddleCore
import Testing

@Suite struct RoundRobinTests {
    @Test func lanesTakeTurnsAndKeepTheirOrder() {
        var lanes = RoundRobin<String, Int>(depthMax: 100)
        var taken: [Bool] = []
        for number in 0..<5 { taken.append(lanes.add(number, to: "many")) }
        let first = lanes.next()
        for (number, lane) in [(10, "one"), (20, "two"), (11, "one")] { taken.append(lanes.add(number, to: lane)) }
        let others = lanes.removeAll()
        #expect(first == 0)
        #expect(others == [1, 10, 20, 2, 11, 3, 4])
        #expect(taken == Array(repeating: true, count: 8))
        #expect(lanes.isEmpty)
    }

    @Test func aFullLaneIsFullForItselfAlone() {
        var lanes = RoundRobin<String, Int>(depthMax: 2)
        var taken: [Bool] = []
        for number in 1...3 { taken.append(lanes.add(number, to: "many")) }
        taken.append(lanes.add(4, to: "one"))
        let first = lanes.next()
        taken.append(lanes.add(5, to: "many"))
        let others = lanes.removeAll()
        #expect(taken == [true, true, false, true, true])
        #expect(first == 1)
        #expect(others == [4, 2, 5])
    }
}
