import HeddleKernels

/// Owns the activations of a step; grows to the largest step so far and is used again by every layer and step.
struct StepScratch {
    private var stateMemory = FloatMemory(count: 0)
    private var normedMemory = FloatMemory(count: 0)
    private var queryMemory = FloatMemory(count: 0)
    private var keyMemory = FloatMemory(count: 0)
    private var valueMemory = FloatMemory(count: 0)
    private var attendedMemory = FloatMemory(count: 0)
    private var gateMemory = FloatMemory(count: 0)
    private var upMemory = FloatMemory(count: 0)
    private var loraMemory = FloatMemory(count: 0)
    private var nodeMemory = FloatMemory(count: 0)
    private var sumMemory = FloatMemory(count: 0)
    private var sliceMemory = FloatMemory(count: 0)
    /// What products multiply with, from one list of products to the next.
    let operands = OperandMemory()

    mutating func states(_ count: Int, width: Int) -> Rows { Self.rows(&stateMemory, count, width) }
    mutating func normed(_ count: Int, width: Int) -> Rows { Self.rows(&normedMemory, count, width) }
    mutating func queries(_ count: Int, width: Int) -> Rows { Self.rows(&queryMemory, count, width) }
    mutating func keys(_ count: Int, width: Int) -> Rows { Self.rows(&keyMemory, count, width) }
    mutating func values(_ count: Int, width: Int) -> Rows { Self.rows(&valueMemory, count, width) }
    mutating func attended(_ count: Int, width: Int) -> Rows { Self.rows(&attendedMemory, count, width) }
    mutating func gate(_ count: Int, width: Int) -> Rows { Self.rows(&gateMemory, count, width) }
    mutating func up(_ count: Int, width: Int) -> Rows { Self.rows(&upMemory, count, width) }
    mutating func vocabularySlice(_ count: Int, width: Int) -> Rows { Self.rows(&sliceMemory, count, width) }
    /// Where x · A of column-parallel projections goes.
    mutating func lora(floats: Int) -> FloatMemory { Self.grown(&loraMemory, floats) }
    /// Partial sums, one tree node after another.
    mutating func nodes(floats: Int) -> FloatMemory { Self.grown(&nodeMemory, floats) }
    /// What the nodes of all ranks sum to.
    mutating func sum(floats: Int) -> FloatMemory { Self.grown(&sumMemory, floats) }

    private static func rows(_ memory: inout FloatMemory, _ count: Int, _ width: Int) -> Rows {
        grown(&memory, count * width).rows(count, width: width)
    }

    private static func grown(_ memory: inout FloatMemory, _ count: Int) -> FloatMemory {
        if memory.floats.count < count { memory = FloatMemory(count: count) }
        return memory
    }
}
