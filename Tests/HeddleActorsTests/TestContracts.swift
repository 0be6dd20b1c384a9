// Written by .ci/contracts from the symbols of the built program: the wire number of every remote method of
// HeddleActorsTests. Never renumber or reuse; Docs/CONTRACTS.txt shows the same.
import HeddleActors

/// The remote methods of HeddleActorsTests.
let testMethods: [ContractMethod] = [
    ContractMethod(index: 1, target: "$s17HeddleActorsTests4EchoC12deadlineLefts8DurationVSgyYaKFTE",
        signature: "HeddleActorsTests.Echo.deadlineLeft() -> Duration?"),
    ContractMethod(index: 2, target: "$s17HeddleActorsTests4EchoC13failStrangelyyyYaKFTE",
        signature: "HeddleActorsTests.Echo.failStrangely() -> ()"),
    ContractMethod(index: 3, target: "$s17HeddleActorsTests4EchoC14untilCancelledyyYaKFTE",
        signature: "HeddleActorsTests.Echo.untilCancelled() -> ()"),
    ContractMethod(index: 4, target: "$s17HeddleActorsTests4EchoC3add_2toS2i_SitYaKFTE",
        signature: "HeddleActorsTests.Echo.add(_: Int, to: Int) -> Int"),
    ContractMethod(index: 5, target: "$s17HeddleActorsTests4EchoC4echoySays5UInt8VGAGYaKFTE",
        signature: "HeddleActorsTests.Echo.echo([UInt8]) -> [UInt8]"),
    ContractMethod(index: 6, target: "$s17HeddleActorsTests4EchoC4noteyySiYaKFTE",
        signature: "HeddleActorsTests.Echo.note(Int) -> ()"),
    ContractMethod(index: 7, target: "$s17HeddleActorsTests4EchoC5blockyyYaKFTE",
        signature: "HeddleActorsTests.Echo.block() -> ()"),
    ContractMethod(index: 8, target: "$s17HeddleActorsTests4EchoC5notedSaySiGyYaKFTE",
        signature: "HeddleActorsTests.Echo.noted() -> [Int]"),
    ContractMethod(index: 9, target: "$s17HeddleActorsTests4EchoC5traces6UInt64VyYaKFTE",
        signature: "HeddleActorsTests.Echo.trace() -> UInt64"),
    ContractMethod(index: 10, target: "$s17HeddleActorsTests4EchoC6refuseyy0A4Core12RequestErrorOYaKFTE",
        signature: "HeddleActorsTests.Echo.refuse(HeddleCore.RequestError) -> ()"),
]
