import HeddleKernels
import Testing

extension KernelTests {
    @Suite struct ThreadTeamTests {
        /// Thousands of small calls from a team larger than the machine, with and without spinning: every part runs once.
        @Test(arguments: [(2, 0), (3, 20), (7, 0)]) func everyPartRunsOnce(_ threadCount: Int, _ spin: Int) throws {
            let team = try #require(ThreadTeam(threadCount: threadCount, spinMicroseconds: spin))
            #expect(team.threadCount == threadCount)
            var random = Seeded(10)
            let (rows, outputs, inputs) = (4, 400, 160)
            let matrix = try #require(
                PackedMatrix(format: .f32, outputs: outputs, inputs: inputs, rows: random.floats(outputs * inputs)))
            let input = OwnedRows(rows, width: inputs, values: random.floats(rows * inputs))
            let expected = OwnedRows(rows, width: outputs)
            var list = ProductList()
            list.add(matrix, input.rows, into: expected.rows)
            list.run(.alone())
            for round in 0..<1000 {
                let output = OwnedRows(rows, width: outputs)
                list.removeAll()
                // Accumulating from zero: a part that ran twice would count twice.
                list.add(matrix, operand(input.rows, for: .f32), scaledBy: 1, onto: output.rows)
                list.run(team)
                if output.values != expected.values {
                    Issue.record("round \(round) of \(threadCount) threads")
                    return
                }
            }
        }

        @Test func theProbeReadsEveryWordOnce() throws {
            let team = try #require(ThreadTeam(threadCount: 2))
            let memory = FloatMemory(count: 3 << 20)
            var expected: UInt64 = 0
            for index in memory.floats.indices {
                let bits = UInt32(truncatingIfNeeded: index &* 2_654_435_761)
                memory.floats[index] = Float(bitPattern: bits)
                expected ^= UInt64(bits) << UInt64(index % 2 * 32)
            }
            #expect(team.readProbe(UnsafeRawBufferPointer(memory.floats)) == expected)
        }

        @Test func anInstructionSetCanBeForced() {
            let before = InstructionSet.current
            defer { before.use() }
            #expect(InstructionSet.available.contains(.scalar))
            for instructions in InstructionSet.allCases {
                #expect(instructions.use() == InstructionSet.available.contains(instructions))
            }
            #expect(InstructionSet.scalar.use())
            #expect(InstructionSet.current == .scalar)
        }
    }
}
