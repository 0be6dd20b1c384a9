/// Which trace a call belongs to, and which span made it: W3C's traceparent without its text.
public struct TraceContext: Hashable, Sendable {
    public var traceHigh: UInt64
    public var traceLow: UInt64
    public var span: UInt64
    /// Bit 0: sampled.
    public var flags: UInt8

    /// Nil for the trace id of all zeros, which means none.
    public init?(traceHigh: UInt64, traceLow: UInt64, span: UInt64, flags: UInt8) {
        guard traceHigh != 0 || traceLow != 0 else { return nil }
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.flags = flags
    }
}
