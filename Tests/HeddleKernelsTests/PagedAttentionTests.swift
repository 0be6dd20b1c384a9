import Glibc
import HeddleKernels
import Testing

extension KernelTests {
    @Suite struct PagedAttentionTests {
        /// One ragged batch against a slow reference, then cut into other chunks and blocks: the same bits.
        @Test(arguments: [(2, 2, 1), (12, 5, 1), (16, 8, 2), (20, 6, 3), (64, 4, 4), (80, 9, 3), (256, 2, 1)])
        func attentionAgreesAndDoesNotDependOnChunks(_ dimension: Int, _ headCount: Int, _ kvHeadCount: Int) throws {
            try compare(dimension, headCount, kvHeadCount, window: nil, cap: nil)
        }

        /// Windows within a block, of a block, over blocks, of one position; with and without a cap.
        @Test(arguments: [1, 3, 16, 17, 40], [Float?.none, 4])
        func windowsAndCapsAgreeAndDoNotDependOnChunks(_ window: Int, _ cap: Float?) throws {
            try compare(12, 6, 2, window: window, cap: cap)
        }

        private func compare(
            _ dimension: Int, _ headCount: Int, _ kvHeadCount: Int, window: Int?, cap: Float?
        ) throws {
            var random = Seeded(UInt64(dimension))
            let heads = AttentionHeads(
                headDimension: dimension, kvHeadCount: kvHeadCount,
                kvHeadOfHead: (0..<headCount).map { $0 / (headCount / kvHeadCount) },
                scoreScale: cap == nil ? nil : 0.4, scoreCap: cap, window: window)
            let lengths = [1, 15, 16, 17, 50]
            let (queryWidth, keyWidth) = (headCount * dimension, kvHeadCount * dimension)
            let queries = lengths.map { random.floats($0 * queryWidth, in: -3...3) }
            let keys = lengths.map { random.floats($0 * keyWidth) }
            let values = lengths.map { random.floats($0 * keyWidth) }

            /// Runs all sequences in steps of `chunk` rows; `stride` scatters the blocks.
            func run(chunk: Int, stride: Int, team: ThreadTeam) -> [[UInt32]] {
                let kv = FloatMemory(count: 64 * heads.blockFloatCount)
                kv.floats.update(repeating: .nan)  // what a sequence did not write must not count
                var found = lengths.map { _ in [UInt32]() }
                var done = 0
                while done < lengths.max() ?? 0 {
                    var rows = SequenceRows()
                    var (q, k, v): ([Float], [Float], [Float]) = ([], [], [])
                    var counts: [Int] = []
                    for (index, length) in lengths.enumerated() {
                        let range = min(done, length)..<min(done + chunk, length)
                        counts.append(range.count)
                        if range.isEmpty { continue }
                        rows.append(
                            rowCount: range.count, firstPosition: range.lowerBound,
                            blocks: (0..<((range.upperBound + 15) / 16)).map { Int32((index * 4 + $0) * stride % 64) })
                        q += queries[index][(range.lowerBound * queryWidth)..<(range.upperBound * queryWidth)]
                        k += keys[index][(range.lowerBound * keyWidth)..<(range.upperBound * keyWidth)]
                        v += values[index][(range.lowerBound * keyWidth)..<(range.upperBound * keyWidth)]
                    }
                    let total = counts.reduce(0, +)
                    let out = OwnedRows(total, width: queryWidth, stride: queryWidth + 1)
                    let (k2, v2) = (
                        OwnedRows(total, width: keyWidth, values: k), OwnedRows(total, width: keyWidth, values: v)
                    )
                    rows.store(keys: k2.rows, values: v2.rows, heads: heads, kv: kv.floats, team: team)
                    rows.attend(
                        queries: OwnedRows(total, width: queryWidth, values: q).rows, heads: heads, kv: kv.floats,
                        into: out.rows, team: team)
                    #expect(out.gapsAreUntouched)
                    var row = 0
                    for (index, count) in counts.enumerated() {
                        found[index] += out.bits[(row * queryWidth)..<((row + count) * queryWidth)]
                        row += count
                    }
                    done += chunk
                }
                return found
            }

            let expected = run(chunk: .max / 2, stride: 1, team: .alone())
            check(
                expected.map { $0.map(Float.init(bitPattern:)) }, lengths, heads, headCount / kvHeadCount, queries,
                keys, values)
            let team = try #require(ThreadTeam(threadCount: 2))
            underEveryInstructionSet { instructions in
                for (chunk, stride) in [(1, 1), (7, 13), (16, 3), (49, 61)] {
                    let isEqual = run(chunk: chunk, stride: stride, team: .alone()) == expected
                    #expect(isEqual, "\(chunk), \(instructions)")
                }
                let isEqual = run(chunk: 33, stride: 5, team: team) == expected
                #expect(isEqual, "two threads, \(instructions)")
            }
        }

        private func check(
            _ found: [[Float]], _ lengths: [Int], _ heads: AttentionHeads, _ group: Int, _ queries: [[Float]],
            _ keys: [[Float]], _ values: [[Float]]
        ) {
            let dimension = heads.headDimension
            let (queryWidth, keyWidth) = (heads.headCount * dimension, heads.kvHeadCount * dimension)
            for (index, length) in lengths.enumerated() {
                for row in 0..<length {
                    for head in 0..<heads.headCount {
                        let q = row * queryWidth + head * dimension
                        let seen = (heads.window.map { max(0, row + 1 - $0) } ?? 0)...row
                        let scores = seen.map { position in
                            let k = position * keyWidth + head / group * dimension
                            let score =
                                (0..<dimension).reduce(0.0) {
                                    $0 + Double(queries[index][q + $1]) * Double(keys[index][k + $1])
                                } * Double(heads.scoreScale)
                            return heads.scoreCap.map { Double($0) * tanh(score / Double($0)) } ?? score
                        }
                        let largest = scores.max() ?? 0
                        let weights = scores.map { exp($0 - largest) }
                        let total = weights.reduce(0, +)
                        for d in 0..<dimension {
                            let expected =
                                seen.reduce(0.0) {
                                    $0 + weights[$1 - seen.lowerBound]
                                        * Double(values[index][$1 * keyWidth + head / group * dimension + d])
                                } / total
                            // Scores up to 3·√dimension carry dimension roundings into the exponent; weights add to one.
                            let bound = 0x1p-24 * (6 * Double(dimension) * Double(dimension).squareRoot() + 200)
                            if abs(Double(found[index][q + d]) - expected) > bound {
                                Issue.record("row \(row) of \(length), head \(head), dimension \(dimension)")
                                return
                            }
                        }
                    }
                }
            }
        }
    }
}
