import HeddleCore
import Testing

@Suite struct RoundRobinTests {
    @Test func lanesTakeTurnsAndKeepTheirOrder() {
        var lanes = RoundRobin<String, Int>(depthMax: 100)
        for number in 0..<5 { #expect(lanes.add(number, to: "many")) }
        #expect(lanes.next() == 0)
        #expect(lanes.add(10, to: "one"))
        #expect(lanes.add(20, to: "two"))
        #expect(lanes.add(11, to: "one"))
        #expect(lanes.removeAll() == [1, 10, 20, 2, 11, 3, 4])
        #expect(lanes.isEmpty)
        #expect(lanes.next() == nil)
    }

    @Test func aFullLaneIsFullForItselfAlone() {
        var lanes = RoundRobin<String, Int>(depthMax: 2)
        #expect(lanes.add(1, to: "many"))
        #expect(lanes.add(2, to: "many"))
        #expect(!lanes.add(3, to: "many"))
        #expect(lanes.add(4, to: "one"))
        #expect(lanes.next() == 1)
        #expect(lanes.add(5, to: "many"))
        #expect(lanes.removeAll() == [4, 2, 5])
    }
}
