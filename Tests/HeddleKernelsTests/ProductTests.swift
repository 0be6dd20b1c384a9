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
                    // A chain of n fused multiply-adds is off by at most n roundings of the sum of magnitudes.
                    bounds.append(Double(shape.inputs + 1) * 0x1p-24 * size + 1e-30)
                }
            }
            return (values, bounds)
        }

        @Test(arguments: [PackedFormat.f32, .bf16]) func productsAgreeWithDoublePrecision(_ format: PackedFormat) throws
        {
            var random = Seeded(1)
            let shapes =
                (1...17).map { Shape(rows: $0, outputs: 50, inputs: 33) }
                + [1, 2, 15, 16, 17, 31, 48, 64, 65, 97, 130].map { Shape(rows: 3, outputs: $0, inputs: 7) }
                + [0, 1, 2, 3, 64, 257].map { Shape(rows: 9, outputs: 37, inputs: $0) }
                + [Shape(rows: 70, outputs: 100, inputs: 40), Shape(rows: 131, outputs: 17, inputs: 5)]
            for shape in shapes {
                let x = random.floats(shape.rows * shape.inputs)
                var w = random.floats(shape.outputs * shape.inputs)
                let matrix = try #require(
                    PackedMatrix(format: format, outputs: shape.outputs, inputs: shape.inputs, rows: w))
                if format == .bf16 { w = w.map(roundedToBF16) }
                let expected = reference(x, w, shape)
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

        @Test func aRowDoesNotDependOnItsNeighbours() throws {
            var random = Seeded(2)
            let (rows, outputs, inputs) = (40, 83, 61)
            let x = random.floats(rows * inputs)
            let matrix = try #require(
                PackedMatrix(format: .f32, outputs: outputs, inputs: inputs, rows: random.floats(outputs * inputs)))
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
            var pairs: [(a: [Float], b: [Float], packedA: PackedMatrix, packedB: PackedMatrix)] = []
            for (index, rank) in ranks.enumerated() {
                let format: PackedFormat = index % 2 == 0 ? .f32 : .bf16
                let (a, b) = (random.floats(rank * inputs), random.floats(outputs * rank))
                pairs.append(
                    (
                        format == .bf16 ? a.map(roundedToBF16) : a, b,
                        try #require(PackedMatrix(format: format, outputs: rank, inputs: inputs, rows: a)),
                        try #require(PackedMatrix(format: .f32, outputs: outputs, inputs: rank, rows: b))
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
                    shrinks.add(pairs[index].packedA, input.rows[row..<(row + count)], into: shrunk[index].rows)
                    expands.add(
                        pairs[index].packedB, shrunk[index].rows, scaledBy: 0.5, onto: output.rows[row..<(row + count)])
                    row += count
                }
                shrinks.run(.alone())
                expands.run(.alone())
                row = 0
                for (index, count) in counts.enumerated() {
                    for at in row..<(row + count) {
                        for o in 0..<outputs {
                            var sum = 0.0
                            var size = 0.0
                            for r in 0..<ranks[index] {
                                var inner = 0.0
                                var innerSize = 0.0
                                for k in 0..<inputs {
                                    let term = Double(x[at * inputs + k]) * Double(pairs[index].a[r * inputs + k])
                                    inner += term
                                    innerSize += abs(term)
                                }
                                sum += inner * Double(pairs[index].b[o * ranks[index] + r])
                                size += innerSize * abs(Double(pairs[index].b[o * ranks[index] + r]))
                            }
                            let expected = Double(base[at * outputs + o]) + 0.5 * sum
                            let bound = Double(inputs + ranks[index] + 4) * 0x1p-24 * (abs(expected) + size)
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
        @Test func treeNodesFoldToTheSameBits() throws {
            var random = Seeded(4)
            let (rows, outputs) = (11, 53)
            let widths = [3, 0, 5, 1, 7, 2, 0, 9]
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
                        PackedMatrix(format: .f32, outputs: outputs, inputs: width, rows: part, inputOffset: start)))
                starts.append(start)
                start += width
            }
            func nodes(_ owned: Range<Int>) -> [[Float]] {
                let input = OwnedRows(rows, width: inputs, values: x)
                let count = ProductList.nodeCount(leafFirst: owned.lowerBound, leafCount: owned.count)
                let output = OwnedRows(rows * count, width: outputs)
                var list = ProductList()
                list.add(
                    leaves: Array(leaves[owned]), leafFirst: owned.lowerBound, input.rows,
                    intoNodes: output.rows[0..<rows], nodeStride: rows * outputs)
                list.run(.alone())
                return (0..<count).map { Array(output.values[($0 * rows * outputs)..<(($0 + 1) * rows * outputs)]) }
            }
            func add(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
            underEveryInstructionSet { instructions in
                let whole = nodes(0..<8)[0]
                let single = (0..<8).map { nodes($0..<($0 + 1))[0] }
                let pairs = (0..<4).map { add(single[2 * $0], single[2 * $0 + 1]) }
                #expect(add(add(pairs[0], pairs[1]), add(pairs[2], pairs[3])) == whole, "\(instructions)")
                // Three ranks: leaves 0..<2, 2..<5, 5..<8.
                let (a, b, c) = (nodes(0..<2), nodes(2..<5), nodes(5..<8))
                #expect(a.count == 1 && b.count == 2 && c.count == 2)
                #expect(add(add(a[0], b[0]), add(add(b[1], c[0]), c[1])) == whole, "\(instructions)")
                let expected = zip(0..., whole).allSatisfy { index, value in
                    let (row, output) = (index / outputs, index % outputs)
                    let sum = (0..<inputs).reduce(0.0) {
                        $0 + Double(x[row * inputs + $1]) * Double(w[output * inputs + $1])
                    }
                    return abs(sum - Double(value)) < 1e-5
                }
                #expect(expected)
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
