/// Reads numbers with units, as people write them in a cluster file.
enum Quantity {
    static let byteRule = "a size such as 262144, 256KiB, 64MiB or 2GiB"
    static let durationRule = "a duration such as 500ms, 30s, 5m or 1h"

    /// Bytes; nil for anything but digits and one of the known units, and for what does not fit.
    static func bytes(_ text: String) -> Int? {
        scaled(
            text,
            [
                "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "kB": 1000, "KB": 1000,
                "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
            ])
    }

    /// Milliseconds at the smallest; a number without a unit is nil.
    static func duration(_ text: String) -> Duration? {
        scaled(text, ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]).map { .milliseconds($0) }
    }

    private static func scaled(_ text: String, _ units: [String: Int]) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int(digits), let factor = units[String(unit)] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
