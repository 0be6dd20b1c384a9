import HeddleCollective
import HeddleFiles
import HeddleKernels

extension CPUForwardPass {
    /// states += scale · norm(o_proj(attention(norm(states)))), the outer norm where the family has it.
    func attend(_ states: Rows, _ layer: PackedShard.Layer, _ index: Int, _ rows: StepRows) throws {
        let count = rows.count
        let head = shard.configuration.headDimension
        let normed = scratch.normed(count, width: states.width)
        norm(states, layer.inputNorm, into: normed)
        let queries = scratch.queries(count, width: shard.plan.heads.count * head)
        let keys = scratch.keys(count, width: shard.plan.kvHeads.count * head)
        let values = scratch.values(count, width: shard.plan.kvHeads.count * head)
        columnParallel(
            normed, [(layer.query, .q, queries), (layer.key, .k, keys), (layer.value, .v, values)], index, rows)
        if let weight = layer.queryNorm { norm(queries.cut(width: head), weight, into: queries.cut(width: head)) }
        if let weight = layer.keyNorm { norm(keys.cut(width: head), weight, into: keys.cut(width: head)) }
        let layerAttention = shard.configuration.layers[index]
        let angles = angles[layerAttention.rotary]
        for x in [queries, keys] {
            RowKernels.rotate(x, headDimension: head, entries: angles.entries, table: angles.table, team: team)
        }
        var heads = heads
        heads.window = layerAttention.window
        let blocks = kv.layer(index)
        rows.sequences.store(keys: keys, values: values, heads: heads, kv: blocks, team: team)
        let attended = scratch.attended(count, width: queries.width)
        rows.sequences.attend(queries: queries, heads: heads, kv: blocks, into: attended, team: team)
        try rowParallel(attended, layer.output, .o, index, rows, layer.outputNorm, onto: states)
    }

    /// states += scale · norm(down_proj(activation(gate_proj(norm(states))) · up_proj(norm(states)))), the outer norm where
    /// the family has it.
    func feedForward(_ states: Rows, _ layer: PackedShard.Layer, _ index: Int, _ rows: StepRows) throws {
        let normed = scratch.normed(rows.count, width: states.width)
        norm(states, layer.feedForwardNorm, into: normed)
        let gate = scratch.gate(rows.count, width: shard.plan.feedForward.count)
        let up = scratch.up(rows.count, width: shard.plan.feedForward.count)
        columnParallel(normed, [(layer.gate, .gate, gate), (layer.up, .up, up)], index, rows)
        RowKernels.gate(gate, by: up, activation: activation, team: team)
        try rowParallel(gate, layer.down, .down, index, rows, layer.downNorm, onto: states)
    }

    /// x and y may be the same rows.
    private func norm(_ x: Rows, _ weight: [Float], into y: Rows) {
        RowKernels.rmsNorm(
            x, weight: weight, epsilon: Float(shard.configuration.rmsNormEpsilon), into: y, team: team)
    }

    /// Products whose outputs are split: each rank has whole x and its own outputs. An adapter's A is whole on every rank and
    /// its B is cut by output, so that nothing needs to be exchanged.
    private func columnParallel(
        _ x: Rows, _ parts: [(columns: PackedShard.Columns, projection: Projection, y: Rows)], _ layer: Int,
        _ rows: StepRows
    ) {
        products.removeAll()
        let input = operands(of: x)
        var expansions: [Expansion] = []
        var floats = 0
        for part in rows.adapters {
            for (_, projection, _) in parts {
                floats += (part.adapter.module(layer, projection)?.rank ?? 0) * part.rows.count
            }
        }
        let memory = scratch.lora(floats: floats)
        var offset = 0
        // For each adapter where its last A lies, and its product: parts of a fused matrix share both.
        var shared = [(offsetA: Int, shrunk: Rows)?](repeating: nil, count: rows.adapters.count)
        for (columns, projection, y) in parts {
            products.add(columns.weights, input(for: columns.weights.format), into: y)
            for (index, part) in rows.adapters.enumerated() {
                guard let module = part.adapter.module(layer, projection) else { continue }
                if let last = shared[index], last.offsetA == module.offsetA {
                    expansions.append((module, last.shrunk, y[part.rows]))
                    continue
                }
                let shrunk = memory.rows(part.rows.count, width: module.rank, at: offset)
                offset += part.rows.count * module.rank
                products.add(module.a[0], input(for: module.a[0].format)[part.rows], into: shrunk)
                shared[index] = (module.offsetA, shrunk)
                expansions.append((module, shrunk, y[part.rows]))
            }
        }
        products.run(team)
        for (columns, _, y) in parts {
            if let bias = columns.bias { RowKernels.add(bias, toEachOf: y, team: team) }
        }
        expand(expansions)
    }

    /// Products whose inputs are split, summed over the ranks along the fixed tree. An adapter's A is cut by input like the
    /// weights, and its partial x · A ride behind the rows in the same exchange; B, whole, is then applied to their sum. Bias
    /// and norm belong to the sum: every rank has it whole, and applies them to it.
    private func rowParallel(
        _ x: Rows, _ leaves: PackedShard.Leaves, _ projection: Projection, _ layer: Int, _ rows: StepRows,
        _ trailingNorm: [Float]?, onto states: Rows
    ) throws {
        let modules = rows.adapters.compactMap { part in
            part.adapter.module(layer, projection).map { (module: $0, rows: part.rows) }
        }
        let base = states.count * states.width
        let floats = modules.reduce(base) { $0 + $1.module.rank * $1.rows.count }
        let leafFirst = shard.plan.segments.lowerBound
        let nodeCount = ProductList.nodeCount(leafFirst: leafFirst, leafCount: leaves.weights.count)
        let nodes = scratch.nodes(floats: floats * nodeCount)
        products.removeAll()
        let input = operands(of: x, widths: leaves.weights.map(\.inputs))
        products.add(
            leaves: leaves.weights, leafFirst: leafFirst, input(for: leaves.weights[0].format),
            intoNodes: nodes.rows(states.count, width: states.width), nodeStride: floats)
        var offset = base
        for (module, range) in modules {
            products.add(
                leaves: module.a, leafFirst: leafFirst, input(for: module.a[0].format)[range],
                intoNodes: nodes.rows(range.count, width: module.rank, at: offset), nodeStride: floats)
            offset += range.count * module.rank
        }
        products.run(team)
        var sum = nodes
        if let collective {
            sum = scratch.sum(floats: floats)
            var target = sum.floats.extracting(0..<floats).mutableSpan
            try collective.reduceTree(nodes: nodes.floats.extracting(0..<(floats * nodeCount)).span, into: &target)
        }
        let product = sum.rows(states.count, width: states.width)
        if let bias = leaves.bias { RowKernels.add(bias, toEachOf: product, team: team) }
        offset = base
        var expansions: [Expansion] = []
        for (module, range) in modules {
            expansions.append((module, sum.rows(range.count, width: module.rank, at: offset), product[range]))
            offset += range.count * module.rank
        }
        expand(expansions)
        if let trailingNorm { norm(product, trailingNorm, into: product) }
        RowKernels.add(product, scaledBy: residualScale, to: states, team: team)
    }
}
