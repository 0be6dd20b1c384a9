import Glibc
import HeddleKernels
import Testing

extension KernelTests {
    @Suite struct RowKernelTests {
        private let widths = [1, 2, 7, 15, 16, 17, 31, 32, 33, 100, 257]

        @Test func exponentialsAreWithinTwoRoundings() {
            var values = stride(from: Float(-87.2), through: 87.9, by: 0.0137).map { $0 }
            values += [0, -0.0, 1, -1, 0.34657, -0.34657, 1e-30, -1e-30]
            var first: [UInt32]?
            underEveryInstructionSet { instructions in
                let found = RowKernels.exponentials(values)
                for (value, result) in zip(values, found) {
                    let exact = exp(Double(value))
                    if abs(Double(result) - exact) > 2 * 0x1p-24 * exact {
                        Issue.record("exp(\(value)) = \(result), \(instructions)")
                        break
                    }
                }
                #expect((first ?? found.map(\.bitPattern)) == found.map(\.bitPattern), "\(instructions)")
                first = found.map(\.bitPattern)
                #expect(RowKernels.exponentials([0, -88, -.infinity, -1e30]) == [1, 0, 0, 0])
            }
        }

        @Test func hyperbolicTangentsAreWithinThreeRoundings() {
            var values = stride(from: Float(-12), through: 12, by: 0.00171).map { $0 }
            values += [0, -0.0, 1e-30, -1e-30, 1e-4, 0.65, -0.65, 0.649999, 50, -50, 1e30, .infinity, -.infinity]
            var first: [UInt32]?
            underEveryInstructionSet { instructions in
                let found = RowKernels.hyperbolicTangents(values)
                for (value, result) in zip(values, found) {
                    let exact = tanh(Double(value))
                    if abs(Double(result) - exact) > 3 * 0x1p-24 * abs(exact) || abs(result) > 1 {
                        Issue.record("tanh(\(value)) = \(result), \(instructions)")
                        break
                    }
                }
                #expect((first ?? found.map(\.bitPattern)) == found.map(\.bitPattern), "\(instructions)")
                first = found.map(\.bitPattern)
            }
        }

        @Test func normsAgreeWithDoublePrecision() {
            var random = Seeded(6)
            for width in widths {
                let x = random.floats(5 * width, in: -4...4)
                let weight = random.floats(width)
                var first: [UInt32]?
                underEveryInstructionSet { instructions in
                    let input = OwnedRows(5, width: width, stride: width + 2, values: x)
                    let output = OwnedRows(5, width: width, stride: width + 1)
                    RowKernels.rmsNorm(input.rows, weight: weight, epsilon: 1e-5, into: output.rows, team: .alone())
                    for row in 0..<5 {
                        let values = x[(row * width)..<((row + 1) * width)].map(Double.init)
                        let mean = values.reduce(0) { $0 + $1 * $1 } / Double(width)
                        for (column, value) in values.enumerated() {
                            let expected = value / (mean + 1e-5).squareRoot() * Double(weight[column])
                            let bound = Double(width + 8) * 0x1p-24 * abs(expected) + 1e-30
                            if abs(Double(output.rows.values(row)[column]) - expected) > bound {
                                Issue.record("width \(width), \(instructions)")
                                return
                            }
                        }
                    }
                    #expect(output.gapsAreUntouched)
                    #expect((first ?? output.bits) == output.bits, "\(instructions)")
                    first = output.bits
                }
            }
        }

        /// A whole head rotates, and then the first three quarters of it.
        @Test(arguments: [1, 0.75]) func rotationsAgreeWithDoublePrecision(part: Double) {
            var random = Seeded(7)
            for dimension in [4, 6, 12, 20, 32, 34, 64, 128] {
                let heads = 3
                let rotating = Int(Double(dimension) * part) / 2 * 2
                let frequencies = (0..<(rotating / 2)).map { pow(10_000, -2 * Float($0) / Float(rotating)) }
                let table = RotaryTable(frequencies: frequencies, positionCount: 600, scale: 1.25)
                let x = random.floats(4 * heads * dimension)
                let positions: [Int32] = [0, 1, 77, 599]
                var first: [UInt32]?
                underEveryInstructionSet { instructions in
                    let rows = OwnedRows(4, width: heads * dimension, stride: heads * dimension + 1, values: x)
                    RowKernels.rotate(
                        rows.rows, headDimension: dimension, entries: positions, table: table, team: .alone())
                    for row in 0..<4 {
                        for head in 0..<heads {
                            let found = rows.rows.values(row)
                            let first = row * heads * dimension + head * dimension
                            #expect(
                                found[(head * dimension)..<((head + 1) * dimension)].dropFirst(rotating)
                                    == x[first..<(first + dimension)].dropFirst(rotating))
                            for i in 0..<(rotating / 2) {
                                let at = first + i
                                let (low, high) = (1.25 * Double(x[at]), 1.25 * Double(x[at + rotating / 2]))
                                let angle = Double(Float(positions[row]) * frequencies[i])
                                let column = head * dimension + i
                                let error = max(
                                    abs(Double(found[column]) - (low * cos(angle) - high * sin(angle))),
                                    abs(Double(found[column + rotating / 2]) - (high * cos(angle) + low * sin(angle))))
                                if error > 5 * 0x1p-24 * (abs(low) + abs(high)) {
                                    Issue.record("dimension \(dimension), \(instructions)")
                                    return
                                }
                            }
                        }
                    }
                    #expect(rows.gapsAreUntouched)
                    #expect((first ?? rows.bits) == rows.bits, "\(instructions)")
                    first = rows.bits
                }
            }
        }

        @Test func gatesAndSumsAgreeWithDoublePrecision() {
            var random = Seeded(8)
            for width in widths {
                let (gates, ups) = (random.floats(3 * width, in: -20...20), random.floats(3 * width))
                var first: [UInt32]?
                var firstGelu: [UInt32]?
                underEveryInstructionSet { instructions in
                    let gate = OwnedRows(3, width: width, stride: width + 3, values: gates)
                    let up = OwnedRows(3, width: width, values: ups)
                    RowKernels.gate(gate.rows, by: up.rows, team: .alone())
                    for (index, value) in gate.values.enumerated() {
                        let g = Double(gates[index])
                        let expected = g / (1 + exp(-g)) * Double(ups[index])
                        if abs(Double(value) - expected) > 8 * 0x1p-24 * abs(expected) + 1e-30 {
                            Issue.record("width \(width), \(instructions)")
                            return
                        }
                    }
                    #expect((first ?? gate.bits) == gate.bits, "\(instructions)")
                    first = gate.bits
                    let gelu = OwnedRows(3, width: width, stride: width + 3, values: gates)
                    RowKernels.gate(gelu.rows, by: up.rows, activation: .geluTanh, team: .alone())
                    for (index, value) in gelu.values.enumerated() {
                        let g = Double(gates[index])
                        let inner = (2 / Double.pi).squareRoot() * (g + 0.044715 * g * g * g)
                        // The exponential of 2u carries u's own rounding.
                        let bound = 0x1p-24 * (16 + 8 * abs(inner))
                        let expected = 1 / (1 + exp(-2 * inner)) * g * Double(ups[index])
                        if abs(Double(value) - expected) > bound * abs(expected) + 1e-30 {
                            Issue.record("gelu(\(g)), width \(width), \(instructions)")
                            return
                        }
                    }
                    #expect((firstGelu ?? gelu.bits) == gelu.bits && gelu.gapsAreUntouched, "\(instructions)")
                    firstGelu = gelu.bits
                    let sum = OwnedRows(3, width: width, values: gates)
                    RowKernels.add(up.rows, to: sum.rows, team: .alone())
                    #expect(sum.values == zip(gates, ups).map { $0 + $1 })
                    RowKernels.add(up.rows, scaledBy: 0.3, to: sum.rows, team: .alone())
                    #expect(sum.values == zip(gates, ups).map { ($0 + $1) + $1 * 0.3 })
                    let each = OwnedRows(3, width: width, stride: width + 1, values: gates)
                    RowKernels.add(Array(ups[..<width]), toEachOf: each.rows, team: .alone())
                    #expect(each.values == gates.indices.map { gates[$0] + ups[$0 % width] } && each.gapsAreUntouched)
                }
            }
        }

        @Test func cappedNumbersAgreeWithDoublePrecision() {
            var random = Seeded(10)
            for width in widths {
                let values = random.floats(3 * width, in: -90...90)
                for (divisor, cap) in [(Float(1), Float?(30)), (2.5, nil), (0.7, 12)] {
                    var first: [UInt32]?
                    underEveryInstructionSet { instructions in
                        let x = OwnedRows(3, width: width, values: values)
                        RowKernels.cap(x.rows, divisor: divisor, cap: cap, team: .alone())
                        for (value, result) in zip(values, x.values) {
                            let divided = Double(value) / Double(divisor)
                            let expected = cap.map { Double($0) * tanh(divided / Double($0)) } ?? divided
                            if abs(Double(result) - expected) > 8 * 0x1p-24 * abs(expected) {
                                Issue.record("\(value) by \(divisor), cap \(cap ?? 0), \(instructions)")
                                return
                            }
                        }
                        #expect((first ?? x.bits) == x.bits, "\(instructions)")
                        first = x.bits
                    }
                }
            }
        }

        @Test func theLargestAndTheSumOfExponentials() {
            var random = Seeded(9)
            for width in widths + [1024, 1025, 32_003] {
                var x = random.floats(width, in: -9...9)
                if width > 20 {
                    x[width - 3] = 9.5
                    x[width - 1] = 9.5
                }
                let expected = x.indices.reduce(0) { x[$1] > x[$0] ? $1 : $0 }
                let sum = log(x.reduce(0.0) { $0 + exp(Double($1)) })
                underEveryInstructionSet { instructions in
                    x.withUnsafeBufferPointer {
                        #expect(RowKernels.argmax($0) == expected, "width \(width), \(instructions)")
                        #expect(abs(RowKernels.logSumExp($0) - sum) < 1e-5, "width \(width), \(instructions)")
                    }
                }
            }
            let nothing: [Float] = [.nan, -.infinity, .nan]
            #expect(nothing.withUnsafeBufferPointer { RowKernels.argmax($0) } == 1)
        }
    }
}
