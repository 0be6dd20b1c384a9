/// How many more tokens of a request may be sent before its client grants more: flow control of one stream.
public struct StreamCredit: Hashable, Sendable {
    /// Nil where the client takes everything.
    public private(set) var tokenCount: Int?
    private let tokenCountMax: Int

    public init(_ tokenCount: Int?, limits: ClientLimits = ClientLimits()) {
        precondition(tokenCount.map { $0 >= 0 } ?? true, "credit is never negative")
        self.tokenCount = tokenCount
        tokenCountMax = limits.creditTokensMax
    }

    /// The client took more; credit over the maximum is not kept.
    public mutating func granted(_ more: Int) {
        guard let count = tokenCount, more > 0 else { return }
        tokenCount = min(tokenCountMax, count + min(more, tokenCountMax))
    }

    /// Takes credit for up to `wanted` tokens; returns how many may be sent now.
    public mutating func take(_ wanted: Int) -> Int {
        guard let count = tokenCount else { return max(0, wanted) }
        let taken = max(0, min(wanted, count))
        tokenCount = count - taken
        return taken
    }
}
