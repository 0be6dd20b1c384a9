import HeddleCore
import HeddleEngine

/// A small plan loop for tests: sequences with known tokens, blocks handed out as a test wants.
struct Driver {
    /// One sequence to feed.
    struct Feed {
        var sequence: SequenceID
        var adapter: AdapterSlot?
        var tokens: [TokenID]
        /// How many of them are the prompt.
        var promptTokenCount: Int
        var done = 0
        var blocks: [BlockID] = []
        /// Rows of logits so far.
        var logits: [[Float]] = []

        init(_ number: Int, adapter: AdapterSlot?, tokens: [TokenID], promptTokenCount: Int? = nil) {
            sequence = SequenceID(UInt64(number))
            self.adapter = adapter
            self.tokens = tokens
            self.promptTokenCount = promptTokenCount ?? tokens.count
        }
    }

    var feeds: [Feed]
    private var freeBlocks: [BlockID]
    private var step: UInt64 = 0

    /// - Parameter blocks: free blocks in the order in which they are handed out.
    init(_ feeds: [Feed], blocks: [Int]) {
        self.feeds = feeds
        freeBlocks = blocks.map { BlockID(Int32($0)) }
    }

    var isFinished: Bool { feeds.allSatisfy { $0.done == $0.tokens.count } }

    /// The next step: up to `rowsMax` rows of each unfinished sequence, every row's logits wanted.
    mutating func plan(rowsMax: Int) -> StepPlan {
        step += 1
        var segments: [StepPlan.Segment] = []
        for index in feeds.indices where feeds[index].done < feeds[index].tokens.count {
            let count = min(rowsMax, feeds[index].tokens.count - feeds[index].done)
            let end = feeds[index].done + count
            while feeds[index].blocks.count * kvBlockTokens < end {
                feeds[index].blocks.append(freeBlocks.removeFirst())
            }
            segments.append(
                StepPlan.Segment(
                    sequence: feeds[index].sequence, adapter: feeds[index].adapter,
                    tokens: Array(feeds[index].tokens[feeds[index].done..<end]), firstPosition: feeds[index].done,
                    promptTokenCount: feeds[index].promptTokenCount, blocks: feeds[index].blocks, logits: .all))
        }
        return StepPlan(step: step, segments: segments)
    }

    /// Takes a step's logits in.
    mutating func finished(_ plan: StepPlan, _ rows: [[Float]]) {
        var next = 0
        for segment in plan.segments {
            guard let index = feeds.firstIndex(where: { $0.sequence == segment.sequence }) else { continue }
            feeds[index].logits += rows[next..<(next + segment.tokens.count)]
            feeds[index].done += segment.tokens.count
            next += segment.tokens.count
        }
    }

    /// Feeds everything in steps of up to `chunk` rows a sequence; returns each sequence's logits.
    static func run(_ feeds: [Feed], on group: RankGroup, chunk: Int, blocks: [Int]) throws -> [[[Float]]] {
        var driver = Driver(feeds, blocks: blocks)
        while !driver.isFinished {
            let plan = driver.plan(rowsMax: chunk)
            driver.finished(plan, try group.run(plan))
        }
        return driver.feeds.map(\.logits)
    }
}
