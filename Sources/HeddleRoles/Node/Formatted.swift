extension Duration {
    /// Two or three digits and a unit, as people read durations: `340 µs`, `12 ms`, `3.4 s`, `5 min`.
    var formatted: String {
        let nanoseconds = Double(components.seconds) * 1e9 + Double(components.attoseconds) * 1e-9
        switch nanoseconds {
        case ..<1e6: return "\(Int((nanoseconds / 1e3).rounded())) µs"
        case ..<1e9: return "\(Int((nanoseconds / 1e6).rounded())) ms"
        case ..<1e11: return "\((nanoseconds / 1e8).rounded() / 10) s"
        default: return "\(Int((nanoseconds / 6e10).rounded())) min"
        }
    }
}
