import HeddleFiles
import HeddleKernels

/// What adapters change before the first block and behind the last one, and how every low-rank change is applied.
extension CPUForwardPass {
    /// A change whose x · A is computed: y += scale · B x.
    typealias Expansion = (module: PackedAdapter.Module, x: Rows, y: Rows)

    /// Adds what adapters change of the embedding to each row's. Every rank has all of it and does the same.
    func changeEmbeddings(_ rows: StepRows, _ states: Rows) {
        let parts = rows.adapters.compactMap { part in
            part.adapter.embedding.map { (embedding: $0, rows: part.rows) }
        }
        if parts.isEmpty { return }
        let memory = scratch.lora(floats: parts.reduce(0) { $0 + $1.embedding.rank * $1.rows.count })
        var offset = 0
        products.removeAll()
        scratch.operands.reset()
        for (embedding, range) in parts {
            let shrunk = memory.rows(range.count, width: embedding.rank, at: offset)
            offset += range.count * embedding.rank
            for (index, row) in range.enumerated() {
                shrunk.withRow(index) { embedding.a.read(Int(rows.tokens[row]), into: $0) }
            }
            products.add(
                embedding.b, scratch.operands.operands(of: shrunk, team: team)(for: embedding.b.format),
                scaledBy: embedding.scale, onto: states[range])
        }
        products.run(team)
    }

    /// This rank's slice of the output projection. An adapter's A is whole on every rank and its B is cut by output.
    ///
    /// - Parameter normed: the rows whose logits are wanted, in the order of the plan.
    func projectOutput(_ normed: Rows, _ rows: StepRows, into slice: Rows) {
        products.removeAll()
        let input = operands(of: normed)
        products.add(shard.vocabulary, input(for: shard.vocabulary.format), into: slice)
        let runs = outputRuns(rows)
        let memory = scratch.lora(floats: runs.reduce(0) { $0 + $1.module.rank * $1.rows.count })
        var expansions: [Expansion] = []
        var offset = 0
        for (module, range) in runs {
            let shrunk = memory.rows(range.count, width: module.rank, at: offset)
            offset += range.count * module.rank
            products.add(module.a[0], input(for: module.a[0].format)[range], into: shrunk)
            expansions.append((module, shrunk, slice[range]))
        }
        products.run(team)
        expand(expansions)
    }

    /// Neighbours among the wanted rows that go through one adapter which changes the output projection.
    private func outputRuns(_ rows: StepRows) -> [(module: PackedAdapter.Module, rows: Range<Int>)] {
        let changing = rows.adapters.filter { $0.adapter.output != nil }
        var runs: [(module: PackedAdapter.Module, rows: Range<Int>)] = []
        if changing.isEmpty { return runs }
        var last: Int?
        for (index, row) in rows.logitsRows.enumerated() {
            let part = changing.firstIndex { $0.rows.contains(row) }
            if let part, let module = changing[part].adapter.output {
                if part == last, let run = runs.indices.last {
                    runs[run].rows = runs[run].rows.lowerBound..<(index + 1)
                } else {
                    runs.append((module, index..<(index + 1)))
                }
            }
            last = part
        }
        return runs
    }

    func expand(_ expansions: [Expansion]) {
        if expansions.isEmpty { return }
        products.removeAll()
        scratch.operands.reset()
        var first = 0
        while first < expansions.count {
            // Neighbours of one rank are rounded in one call.
            var x = expansions[first].x
            var end = first + 1
            while end < expansions.count, let joined = x.joined(with: expansions[end].x) {
                x = joined
                end += 1
            }
            let format = expansions[first].module.b.format
            let operand = scratch.operands.operands(of: x, team: team)(for: format)
            var row = 0
            for (module, part, y) in expansions[first..<end] {
                products.add(module.b, operand[row..<(row + part.count)], scaledBy: module.scale, onto: y)
                row += part.count
            }
            first = end
        }
        products.run(team)
    }

    /// What the next list of products multiplies with; the last list has run.
    ///
    /// - Parameter widths: inputs of the leaves of a row, where it is cut into some.
    func operands(of x: Rows, widths: [Int]? = nil) -> RowOperands {
        scratch.operands.reset()
        return scratch.operands.operands(of: x, widths: widths, team: team)
    }
}
