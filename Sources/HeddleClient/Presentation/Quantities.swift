/// Durations, bytes and rates as a person reads them at a glance: two or three digits and a unit.
public enum Quantities {
    /// `-` for zero, else `850us`, `12ms`, `3.4s`, `5m12s`, `3h05m`, `2d04h`.
    public static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if seconds < 0 || duration == .zero { return "-" }
        let microseconds = attoseconds / 1_000_000_000_000
        switch seconds {
        case 0 where microseconds < 1000: return "\(max(1, microseconds))us"
        case 0: return "\(microseconds / 1000)ms"
        case ..<10: return "\(seconds).\(microseconds / 100_000)s"
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m" + pair(seconds % 60) + "s"
        case ..<86_400: return "\(seconds / 3600)h" + pair(seconds / 60 % 60) + "m"
        default: return "\(seconds / 86_400)d" + pair(seconds / 3600 % 24) + "h"
        }
    }

    /// Powers of 1024: `512B`, `1.5KiB`, `20MiB`.
    public static func bytes(_ count: UInt64) -> String {
        if count < 1024 { return "\(count)B" }
        var value = Double(count)
        for unit in ["KiB", "MiB", "GiB", "TiB"] {
            value /= 1024
            if value < 1023.5 || unit == "TiB" { return decimal(value) + unit }
        }
        return "\(count)B"
    }

    /// One digit after the point below ten, none above.
    public static func decimal(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let tenths = (value * 10).rounded()
        guard abs(tenths) < 1e15 else { return "\(value)" }
        let whole = Int64(tenths) / 10
        return abs(value) < 9.95 && Int64(tenths) % 10 != 0
            ? "\(tenths < 0 && whole == 0 ? "-" : "")\(whole).\(abs(Int64(tenths) % 10))" : "\(Int64(value.rounded()))"
    }

    private static func pair(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
