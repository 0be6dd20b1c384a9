// Written by .ci/contracts from the symbols of the built program: the wire number of every remote method of
// HeddleActors. Never renumber or reuse; Docs/CONTRACTS.txt shows the same.

/// The remote methods of HeddleActors.
public let benchMethods: [ContractMethod] = [
    ContractMethod(index: 60001, target: "$s12HeddleActors9BenchEchoC4echoySays5UInt8VGAGYaKFTE",
        signature: "HeddleActors.BenchEcho.echo([UInt8]) -> [UInt8]"),
]
