import HeddleCore

/// Decides what of a growing text may be delivered while stop strings are watched for: text that may be the start of a
/// stop string is held back, and the text is cut before the stop string that is complete first (of several that end at
/// one byte, the longest). The cut depends on the text alone, not on how tokens divide it.
public struct TextStream: Sendable {
    /// The stop string that ended a text.
    public struct Stop: Hashable, Sendable {
        /// Which of the stop strings it was.
        public let index: Int
        /// Bytes of the text before it: all that was delivered.
        public let byteCount: Int
        /// Tokens that the delivered text needs: the fewest whose text covers it.
        public let tokenCount: Int
    }

    /// What one token brought.
    public struct Delivery: Hashable, Sendable {
        /// Whole characters to deliver now, perhaps none.
        public let text: String
        /// Set once, when a stop string is complete; nothing follows.
        public let stop: Stop?
    }

    private var decoder: IncrementalDecoder
    private var matcher: StopMatcher
    private let stopFreeTokenCount: Int
    /// Text that is decoded and not delivered: it may be the start of a stop string.
    private var held: [UInt8] = []
    private var deliveredByteCount = 0
    /// Bytes of text up to and with each token; the last token also owns what `finish` adds.
    private var tokenEnds: [Int] = []
    private var isFinished = false
    /// Set when a stop string ended the text.
    public private(set) var stop: Stop?

    /// Starts an empty text. Stop strings are not empty.
    ///
    /// The first `stopFreeTokenCount` tokens complete no stop string; one that begins in their text and ends behind it counts.
    public init(
        _ tokenizer: Tokenizer, stopStrings: [String] = [], stopFreeTokenCount: Int = 0, skipSpecialTokens: Bool = true
    ) {
        self.stopFreeTokenCount = stopFreeTokenCount
        decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: skipSpecialTokens)
        matcher = StopMatcher(stopStrings.map { Array($0.utf8) })
    }

    /// Takes the next token. After a stop, or the end of the text, it changes nothing.
    public mutating func push(_ token: TokenID) -> Delivery {
        guard stop == nil, !isFinished else { return Delivery(text: "", stop: nil) }
        var bytes: [UInt8] = []
        decoder.push(token, into: &bytes)
        tokenEnds.append(deliveredByteCount + held.count + bytes.count)
        return deliver(bytes)
    }

    /// The tokens that stay whatever comes, also when a stop string begins right behind what was delivered: the fewest whose
    /// text covers it. They depend on the text alone, not on when it is asked.
    public var certainTokenCount: Int { tokenCount(covering: deliveredByteCount) }

    private func tokenCount(covering byteCount: Int) -> Int {
        byteCount == 0 ? 0 : (tokenEnds.firstIndex { $0 >= byteCount } ?? 0) + 1
    }

    /// Ends the text, and delivers what was held back. Calling it again changes nothing.
    public mutating func finish() -> Delivery {
        guard stop == nil, !isFinished else { return Delivery(text: "", stop: nil) }
        isFinished = true
        var bytes: [UInt8] = []
        decoder.finish(into: &bytes)
        if let last = tokenEnds.indices.last { tokenEnds[last] += bytes.count }
        let first = deliver(bytes)
        guard first.stop == nil else { return first }
        let rest = String(decoding: held, as: UTF8.self)
        deliveredByteCount += held.count
        held.removeAll()
        return Delivery(text: first.text + rest, stop: nil)
    }

    private mutating func deliver(_ bytes: [UInt8]) -> Delivery {
        for (offset, byte) in bytes.enumerated() {
            guard let (index, count) = matcher.push(byte), tokenEnds.count > stopFreeTokenCount else { continue }
            held += bytes[...offset]
            held.removeLast(count)
            let text = String(decoding: held, as: UTF8.self)
            deliveredByteCount += held.count
            held.removeAll()
            let found = Stop(
                index: index, byteCount: deliveredByteCount, tokenCount: tokenCount(covering: deliveredByteCount))
            stop = found
            return Delivery(text: text, stop: found)
        }
        held += bytes
        // A stop string starts with a whole character, so the cut never divides one.
        let count = held.count - matcher.matchedCount
        let text = String(decoding: held[..<count], as: UTF8.self)
        held.removeFirst(count)
        deliveredByteCount += count
        return Delivery(text: text, stop: nil)
    }
}
