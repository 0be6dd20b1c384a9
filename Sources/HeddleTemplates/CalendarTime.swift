/// A moment as a calendar and a clock show it, without time zone: what `strftime_now` writes. It is given to a
/// rendering, so that the same conversation renders the same text whenever that is.
public struct CalendarTime: Hashable, Sendable {
    /// 1 to 9999.
    public let year: Int
    /// 1 to 12.
    public let month: Int
    /// 1 to the month's length.
    public let day: Int
    /// 0 to 23.
    public let hour: Int
    /// 0 to 59.
    public let minute: Int
    /// 0 to 59.
    public let second: Int
    /// 0 to 999,999.
    public let microsecond: Int

    /// Makes a moment; nil where there is no such day or time.
    public init?(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0
    ) {
        guard (1...9999).contains(year), (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute),
            (0...59).contains(second), (0...999_999).contains(microsecond),
            day >= 1, day <= Self.dayCount(month, year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    private static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    private static func dayCount(_ month: Int, _ year: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// From 1.
    var dayOfYear: Int { (1..<month).reduce(day) { $0 + Self.dayCount($1, year) } }

    /// Sunday is 0.
    var weekday: Int {
        let before = year - 1
        let days = before * 365 + before / 4 - before / 100 + before / 400 + dayOfYear
        // The first day of year 1 was a Monday.
        return days % 7
    }

    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// What the C library's `strftime` writes in the C locale, as Python's `datetime.strftime` calls it; nil for a
    /// directive that is not supported.
    public func formatted(_ format: String) -> String? {
        var result = ""
        var rest = Substring(format)
        while let character = rest.unicodeScalars.popFirst() {
            guard character == "%" else {
                result.unicodeScalars.append(character)
                continue
            }
            guard var directive = rest.unicodeScalars.popFirst() else { return nil }
            var padding: Unicode.Scalar?
            if "-_0".unicodeScalars.contains(directive) {
                padding = directive
                guard let next = rest.unicodeScalars.popFirst() else { return nil }
                directive = next
            }
            guard let piece = piece(directive, padding) else { return nil }
            result += piece
        }
        return result
    }

    private func piece(_ directive: Unicode.Scalar, _ padding: Unicode.Scalar?) -> String? {
        func number(_ value: Int, _ width: Int, _ fill: Unicode.Scalar = "0") -> String {
            let digits = String(value)
            let fill = padding == "_" ? " " : padding == "0" ? "0" : fill
            guard padding != "-", digits.utf8.count < width else { return digits }
            return String(repeating: String(fill), count: width - digits.utf8.count) + digits
        }
        if let value = numeric(directive) { return number(value.number, value.width, value.fill) }
        // Padding means something else, or nothing, for all that is no number.
        guard padding == nil else { return nil }
        switch directive {
        case "A": return Self.weekdays[weekday]
        case "a": return String(Self.weekdays[weekday].prefix(3))
        case "B": return Self.months[month - 1]
        case "b", "h": return String(Self.months[month - 1].prefix(3))
        case "p": return hour < 12 ? "AM" : "PM"
        case "P": return hour < 12 ? "am" : "pm"
        case "f": return Self.padded(microsecond, 6)
        case "z", "Z": return ""
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        case "D", "x": return formatted("%m/%d/%y")
        case "F": return formatted("%Y-%m-%d")
        case "R": return formatted("%H:%M")
        case "T", "X": return formatted("%H:%M:%S")
        case "r": return formatted("%I:%M:%S %p")
        case "c": return formatted("%a %b %e %H:%M:%S %Y")
        default: return nil
        }
    }

    private func numeric(_ directive: Unicode.Scalar) -> (number: Int, width: Int, fill: Unicode.Scalar)? {
        switch directive {
        // The C library writes small years without zeros.
        case "Y": return (year, 1, "0")
        case "y": return (year % 100, 2, "0")
        case "C": return (year / 100, 2, "0")
        case "m": return (month, 2, "0")
        case "d": return (day, 2, "0")
        case "e": return (day, 2, " ")
        case "j": return (dayOfYear, 3, "0")
        case "H": return (hour, 2, "0")
        case "k": return (hour, 2, " ")
        case "I": return ((hour + 11) % 12 + 1, 2, "0")
        case "l": return ((hour + 11) % 12 + 1, 2, " ")
        case "M": return (minute, 2, "0")
        case "S": return (second, 2, "0")
        case "u": return (weekday == 0 ? 7 : weekday, 1, "0")
        case "w": return (weekday, 1, "0")
        case "U": return ((dayOfYear + 6 - weekday) / 7, 2, "0")
        case "W": return ((dayOfYear + 6 - (weekday + 6) % 7) / 7, 2, "0")
        default: return nil
        }
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
