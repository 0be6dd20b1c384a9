import Foundation
import Testing

/// The contract tables are what the wire means: they must be the ones that the build's symbols give.
@Suite struct ContractTests {
    @Test func theContractTablesAreFresh() throws {
        // Every module under test is linked into this very program.
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [root.appendingPathComponent(".ci/contracts").path, "--check", program]
        let complaints = Pipe()
        process.standardError = complaints
        try process.run()
        let text = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
    }

    @Test func everyLineOfTheContractHasANumberOfItsOwn() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("Docs/CONTRACTS.txt"), encoding: .utf8)
        let numbers = text.split(separator: "\n").compactMap { line -> UInt32? in
            line.first?.isNumber == true ? UInt32(line.prefix { $0 != " " }) : nil
        }
        #expect(!numbers.isEmpty)
        #expect(Set(numbers).count == numbers.count)
    }
}
