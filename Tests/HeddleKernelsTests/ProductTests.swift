import HeddleKernels
import Testing

/// Everything that depends on the process-wide choice of instruction set runs one after another.
@Suite(.serialized) struct KernelTests {}

extension KernelTests {
    @Suite struct ProductTests {
        private struct Shape: CustomStringConvertible {
            var rows: Int
            var outputs: Int
            var inputs: Int
            var description: String { "\(rows) rows × \(outputs) × \(inputs)" }
        }

        private func reference(_ x: [Float], _ w: [Float], _ shape: Shape) -> (values: [Double], bounds: [Double]) {
            var values: [Double] = []
            var bounds: [Double] = []
            for row in 0..<shape.rows {
                for output in 0..<shape.outputs {
                    var sum = 0.0
                    var size = 0.0
                    for k in 0..<shape.inputs {
                        let term = Double(x[row * shape.inputs + k]) * Double(w[output * shape.inputs + k])
                        sum += term
                        size += abs(term)
                    }
                    values.append(sum)
                    // A chain of n fused multiply-adds is off by at most n roundings of the sum of magnitudes; two scales
                    // are rounded as well.
                    bounds.append(Double(shape.inputs + 3) * 0x1p-24 * size + 1e-30)
                }
            }
            return (values, bounds)
        }

        @Test(arguments: PackedFormat.allCases) func productsAgreeWithDoublePrecision(_ format: PackedFormat) throws {
            var random = Seeded(1)
            let shapes =
                (1...17).map { Shape(rows: $0, outputs: 50, inputs: 33) }
                + [1, 2, 15, 16, 17, 31, 48, 64, 65, 97, 130].map { Shape(rows: 3, outputs: $0, inputs: 7) }
                + [0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 130, 257, 263, 700].map {
                    Shape(rows: 9, outputs: 37, inputs: $0)
                }
                + [Shape(rows: 70, outputs: 100, inputs: 40), Shape(rows: 131, outputs: 17, inputs: 5)]
            for shape in shapes {
                let x = random.floats(shape.rows * shape.inputs)
                let w = random.floats(shape.outputs * shape.inputs)
                let matrix = try #require(
                    PackedMatrix(format: format, outputs: shape.outputs, inputs: shape.inputs, rows: w))
                let expected = reference(
                    (0..<shape.rows).flatMap { row in
                        rounded(Array(x[(row * shape.inputs)..<((row + 1) * shape.inputs)]), for: format)
                    }, (0..<shape.outputs).flatMap(matrix.weights), shape)
                var first: [UInt32]?
                underEveryInstructionSet { instructions in
                    for threadCount in [1, 3] {
                        guard let team = ThreadTeam(threadCount: threadCount) else { continue }
                        let input = OwnedRows(shape.rows, width: shape.inputs, stride: shape.inputs + 3, values: x)
                        let output = OwnedRows(shape.rows, width: shape.outputs, stride: shape.outputs + 5)
                        var list = ProductList()
                        list.add(matrix, input.rows, into: output.rows)
                        list.run(team)
                        let close = zip(zip(output.values, expected.values), expected.bounds).allSatisfy {
                            abs(Double($0.0) - $0.1) <= $1
                        }
                        #expect(close, "\(shape), \(instructions)")
                        #expect(output.gapsAreUntouched, "\(shape), \(instructions)")
                        #expect((first ?? output.bits) == output.bits, "\(shape), \(instructions)")
                        first = output.bits
                    }
                }
            }
        }

        @Test(arguments: PackedFormat.allCases) func aRowDoesNotDependOnItsNeighbours(_ format: PackedFormat) throws {
            var random = Seeded(2)
            let (rows, outputs, inputs) = (40, 83, 161)
            let x = random.floats(rows * inputs)
            let matrix = try #require(
                PackedMatrix(format: format, outputs: outputs, inputs: inputs, rows: random.floats(outputs * inputs)))
            underEveryInstructionSet { instructions in
                func run(_ range: Range<Int>) -> [UInt32] {
                    let input = OwnedRows(rows, width: inputs, values: x)
                    let output = OwnedRows(range.count, width: outputs)
                    var list = ProductList()
                    list.add(matrix, input.rows[range], into: output.rows)
                    list.run(.alone())
                    return output.bits
                }
                let whole = run(0..<rows)
                for range in [0..<1, 5..<7, 3..<6, 0..<4, 10..<15, 11..<17, 20..<27, 8..<16, 31..<40] {
                    #expect(
                        run(range) == Array(whole[(range.lowerBound * outputs)..<(range.upperBound * outputs)]),
                        "rows \(range), \(instructions)")
                }
            }
        }

        /// Adapters: ranks 1 to 256, segments empty, of one row and of nearly all, both formats in one list.
        @Test func lowRankPairsOverSkewedSegmentsAgree() throws {
            var random = Seeded(3)
            let (inputs, outputs) = (45, 70)
            let ranks = [1, 2, 3, 8, 15, 16, 17, 31, 64, 100, 256]
            let counts = [1, 0, 2, 40, 1, 0, 7, 8, 9, 1, 3]
            let total = counts.reduce(0, +)
            let x = random.floats(total * inputs)
            let base = random.floats(total * outputs)
            var pairs: [(a: PackedMatrix, b: PackedMatrix)] = []
            for (index, rank) in ranks.enumerated() {
                let format: PackedFormat = index % 2 == 0 ? .f32 : .bf16
                pairs.append(
                    (
                        try #require(
                            PackedMatrix(
                                format: format, outputs: rank, inputs: inputs, rows: random.floats(rank * inputs))),
                        try #require(
                            PackedMatrix(
                                format: format, outputs: outputs, inputs: rank, rows: random.floats(outputs * rank)))
                    ))
            }
            var first: [UInt32]?
            underEveryInstructionSet { instructions in
                let input = OwnedRows(total, width: inputs, values: x)
                let output = OwnedRows(total, width: outputs, values: base)
                let shrunk = zip(ranks, counts).map { OwnedRows($1, width: $0) }
                var shrinks = ProductList()
                var expands = ProductList()
                var row = 0
                for (index, count) in counts.enumerated() {
                    shrinks.add(pairs[index].a, input.rows[row..<(row + count)], into: shrunk[index].rows)
                    row += count
                }
                shrinks.run(.alone())
                row = 0
                for (index, count) in counts.enumerated() {
                    expands.add(
                        pairs[index].b, operand(shrunk[index].rows, for: pairs[index].b.format), scaledBy: 0.5,
                        onto: output.rows[row..<(row + count)])
                    row += count
                }
                expands.run(.alone())
                row = 0
                for (index, count) in counts.enumerated() {
                    let pair = pairs[index]
                    let a = (0..<ranks[index]).map(pair.a.weights)
                    let b = (0..<outputs).map(pair.b.weights)
                    // What is expanded is rounded to bf16 between the two, and may fall to either side.
                    let rounding = pair.b.format == .bf16 ? 0x1p-8 : 0
                    for at in row..<(row + count) {
                        let x = rounded(Array(x[(at * inputs)..<((at + 1) * inputs)]), for: pair.a.format)
                        for o in 0..<outputs {
                            var sum = 0.0
                            var size = 0.0
                            for r in 0..<ranks[index] {
                                var inner = 0.0
                                var innerSize = 0.0
                                for k in 0..<inputs {
                                    let term = Double(x[k]) * Double(a[r][k])
                                    inner += term
                                    innerSize += abs(term)
                                }
                                sum += inner * Double(b[o][r])
                                size += innerSize * abs(Double(b[o][r]))
                            }
                            let expected = Double(base[at * outputs + o]) + 0.5 * sum
                            let bound =
                                (Double(inputs + ranks[index] + 4) * 0x1p-24 + rounding) * (abs(expected) + size)
                            if abs(Double(output.rows.values(at)[o]) - expected) > bound {
                                Issue.record("rank \(ranks[index]), row \(at), \(instructions)")
                                return
                            }
                        }
                    }
                    row += count
                }
                #expect((first ?? output.bits) == output.bits, "\(instructions)")
                first = output.bits
            }
        }

        /// Leaves owned by any ranks, folded by hand along the tree, give the bits of one rank that owns all.
        @Test(arguments: PackedFormat.allCases) func treeNodesFoldToTheSameBits(_ format: PackedFormat) throws {
            var random = Seeded(4)
            let (rows, outputs) = (11, 53)
            let widths = [3, 0, 5, 1, 77, 2, 0, 139]
            let inputs = widths.reduce(0, +)
            let x = random.floats(rows * inputs)
            let w = random.floats(outputs * inputs)
            var leaves: [PackedMatrix] = []
            var starts: [Int] = []
            var start = 0
            for width in widths {
                let part = (0..<outputs).flatMap { w[($0 * inputs + start)..<($0 * inputs + start + width)] }
                leaves.append(
                    try #require(
                        PackedMatrix(format: format, outputs: outputs, inputs: width, rows: part)))
                starts.append(start)
                start += width
            }
            // The same leaves, their tiles taking turns in one memory.
            let tiles = LeafTiles(format: format, outputs: outputs, inputs: widths)
            let memory = try #require(
                PackedMemory(byteCount: tiles.byteCount) { bytes in
                    for (leaf, offset) in tiles.byteOffsets.enumerated() {
                        PackedMatrix.pack(
                            format: format, outputs: outputs, inputs: widths[leaf],
                            into: UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]),
                            tileStride: tiles.tileStride
                        ) { range, part in
                            for (row, output) in range.enumerated() {
                                for k in 0..<widths[leaf] {
                                    part[row * widths[leaf] + k] = w[output * inputs + starts[leaf] + k]
                                }
                            }
                        }
                    }
                })
            let turning = widths.indices.map {
                PackedMatrix(
                    in: memory, byteOffset: tiles.byteOffsets[$0], tileStride: tiles.tileStride, format: format,
                    outputs: outputs, inputs: widths[$0])
            }
            func nodes(_ owned: Range<Int>, of leaves: [PackedMatrix]) -> [[Float]] {
                let first = starts[owned.lowerBound]
                let width = widths[owned].reduce(0, +)
                let input = OwnedRows(
                    rows, width: width,
                    values: (0..<rows).flatMap { x[($0 * inputs + first)..<($0 * inputs + first + width)] })
                let count = ProductList.nodeCount(leafFirst: owned.lowerBound, leafCount: owned.count)
                let output = OwnedRows(rows * count, width: outputs)
                var list = ProductList()
                list.add(
                    leaves: Array(leaves[owned]), leafFirst: owned.lowerBound,
                    operand(input.rows, for: format, widths: Array(widths[owned])),
                    intoNodes: output.rows[0..<rows], nodeStride: rows * outputs)
                list.run(.alone())
                return (0..<count).map { Array(output.values[($0 * rows * outputs)..<(($0 + 1) * rows * outputs)]) }
            }
            func nodes(_ owned: Range<Int>) -> [[Float]] { nodes(owned, of: leaves) }
            func add(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
            underEveryInstructionSet { instructions in
                let whole = nodes(0..<8)[0]
                #expect(nodes(0..<8, of: turning)[0] == whole && nodes(2..<5, of: turning) == nodes(2..<5))
                let single = (0..<8).map { nodes($0..<($0 + 1))[0] }
                let pairs = (0..<4).map { add(single[2 * $0], single[2 * $0 + 1]) }
                #expect(add(add(pairs[0], pairs[1]), add(pairs[2], pairs[3])) == whole, "\(instructions)")
                // Three ranks: leaves 0..<2, 2..<5, 5..<8.
                let (a, b, c) = (nodes(0..<2), nodes(2..<5), nodes(5..<8))
                #expect(a.count == 1 && b.count == 2 && c.count == 2)
                #expect(add(add(a[0], b[0]), add(add(b[1], c[0]), c[1])) == whole, "\(instructions)")
                let expected = zip(0..., whole).allSatisfy { index, value in
                    let (row, output) = (index / outputs, index % outputs)
                    let sum = zip(starts, leaves).reduce(0.0) { sum, leaf in
                        let begin = row * inputs + leaf.0
                        let x = rounded(Array(x[begin..<(begin + leaf.1.inputs)]), for: format)
                        return sum + zip(x, leaf.1.weights(of: output)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                    }
                    return abs(sum - Double(value)) < 1e-4
                }
                #expect(expected)
            }
        }

        /// 8-bit weights are off by half a step of their group's scale. 4-bit ones err less than if the largest of the group
        /// were met.
        @Test(arguments: [PackedFormat.int8, .int4]) func integerWeightsAreClose(_ format: PackedFormat) throws {
            var random = Seeded(6)
            let group = try #require(format.groupInputs)
            for inputs in [1, 5, group - 1, group, group + 1, 3 * group + 7] {
                let w = random.floats(19 * inputs, in: -2...3) + [Float](repeating: 0, count: inputs)
                let matrix = try #require(PackedMatrix(format: format, outputs: 20, inputs: inputs, rows: w))
                for output in 0..<20 {
                    let found = matrix.weights(of: output)
                    for first in stride(from: 0, to: inputs, by: group) {
                        let part = first..<min(inputs, first + group)
                        let wanted = w[(output * inputs + part.lowerBound)..<(output * inputs + part.upperBound)]
                        let largest = wanted.max { abs($0) < abs($1) } ?? 0
                        if format == .int8 {
                            let isClose = zip(found[part], wanted).allSatisfy {
                                abs($0.0 - $0.1) <= abs(largest) / 127 * 0.5001
                            }
                            #expect(isClose)
                        } else {
                            let step = -largest / 8
                            let simple = wanted.map {
                                step == 0 ? 0 : step * min(7, max(-8, ($0 / step).rounded(.toNearestOrEven)))
                            }
                            let error = zip(found[part], wanted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                            let simpleError = zip(simple, wanted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                            #expect(error <= simpleError * 1.0001 + 1e-12)
                        }
                    }
                }
            }
        }

        /// What is no number stays none, in every format: it is not rounded away.
        @Test(arguments: PackedFormat.allCases) func aNumberThatIsNoneIsNotLost(_ format: PackedFormat) throws {
            let weights = [Float](repeating: 0.5, count: 40 * 300)
            let matrix = try #require(PackedMatrix(format: format, outputs: 40, inputs: 300, rows: weights))
            underEveryInstructionSet { instructions in
                for bad in [Float.nan, .infinity] {
                    var x = [Float](repeating: 1, count: 900)
                    x[300 + 171] = bad
                    let output = OwnedRows(3, width: 40)
                    var list = ProductList()
                    list.add(matrix, OwnedRows(3, width: 300, values: x).rows, into: output.rows)
                    list.run(.alone())
                    let finite = (0..<3).map { output.rows.values($0).map(\.isFinite) }
                    let expected = [true, false, true].map { [Bool](repeating: $0, count: 40) }
                    #expect(finite == expected, "\(instructions)")
                }
            }
        }

        @Test func bf16RoundsToNearestEven() throws {
            var random = Seeded(5)
            let values =
                random.floats(320, in: -3...3) + [0, -0.0, 1.00390625, 1.01171875, Float(bitPattern: 0x1234), 3.0e38]
            let matrix = try #require(PackedMatrix(format: .bf16, outputs: values.count, inputs: 1, rows: values))
            let output = OwnedRows(1, width: values.count)
            var list = ProductList()
            list.add(matrix, OwnedRows(1, width: 1, values: [1]).rows, into: output.rows)
            list.run(.alone())
            #expect(output.values == values.map(roundedToBF16))
        }
    }
}
