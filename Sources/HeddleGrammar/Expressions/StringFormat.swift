/// The values of `format` that are enforced, each as the whole text of a string.
enum StringFormat: String, CaseIterable, Sendable {
    case date
    case time
    case dateTime = "date-time"
    case uuid
    case email
    case ipv4
    case ipv6

    var expression: ByteExpression {
        switch self {
        case .date: Self.day
        case .time: Self.moment
        case .dateTime: Self.day + .literal("T") + Self.moment
        case .uuid:
            Self.hexadecimal.times(8) + (.literal("-") + Self.hexadecimal.times(4)).times(3) + .literal("-")
                + Self.hexadecimal.times(12)
        case .email: Self.mailbox
        case .ipv4: Self.address4
        case .ipv6: Self.address6
        }
    }

    private static let hexadecimal = ByteExpression.oneOf("0123456789abcdefABCDEF")

    /// RFC 3339's full-date, from year 1 on, with the days that the month has.
    private static let day: ByteExpression = {
        let twoDigits = ByteExpression.digit.times(2)
        let nonzero: ByteExpression = .any([.literal("0") + .range("1", "9"), .range("1", "9") + .digit])
        let year: ByteExpression = .any([nonzero + twoDigits, twoDigits + nonzero])
        let fourth: ByteExpression = .any([
            .literal("0") + .oneOf("48"), .oneOf("2468") + .oneOf("048"), .oneOf("13579") + .oneOf("26"),
        ])
        let leap: ByteExpression = .any([twoDigits + fourth, fourth + .literal("00")])
        func days(_ months: String, to last: [ByteExpression]) -> ByteExpression {
            let names = months.split(separator: " ").map { ByteExpression.literal(String($0)) }
            let days: [ByteExpression] = [.literal("0") + .range("1", "9"), .literal("1") + .digit]
            return .literal("-") + .any(names) + .literal("-") + .any(days + last)
        }
        let long = days("01 03 05 07 08 10 12", to: [.literal("2") + .digit, .literal("30"), .literal("31")])
        let short = days("04 06 09 11", to: [.literal("2") + .digit, .literal("30")])
        let february = days("02", to: [.literal("2") + .range("0", "8")])
        return .any([year + .any([long, short, february]), leap + .literal("-02-29")])
    }()

    /// RFC 3339's full-time without leap seconds.
    private static let moment: ByteExpression = {
        let sixty = ByteExpression.range("0", "5") + .digit
        let hour: ByteExpression = .any([.oneOf("01") + .digit, .literal("2") + .range("0", "3")])
        return hour + .literal(":") + sixty + .literal(":") + sixty + (.literal(".") + .digit.times(1...6)).optional()
            + .any([.literal("Z"), .oneOf("+-") + hour + .literal(":") + sixty])
    }()

    /// RFC 5321's dot-string and domain, in ASCII.
    private static let mailbox: ByteExpression = {
        let alphanumeric: ByteExpression = .any([.range("a", "z"), .range("A", "Z"), .digit])
        let atom = ByteExpression.any([alphanumeric, .oneOf("!#$%&'*+/=?^_`{|}~-")]).plus
        let label = alphanumeric + (ByteExpression.literal("-").star + alphanumeric).star
        return atom + (.literal(".") + atom).star + .literal("@") + label + (.literal(".") + label).plus
    }()

    private static let address4: ByteExpression = {
        let number: ByteExpression = .any([
            .digit, .range("1", "9") + .digit, .literal("1") + .digit.times(2),
            .literal("2") + .range("0", "4") + .digit, .literal("25") + .range("0", "5"),
        ])
        return number + (.literal(".") + number).times(3)
    }()

    /// RFC 4291's text form: eight groups, or fewer around one “::”, perhaps with an IPv4 address for the last two.
    private static let address6: ByteExpression = {
        let group = hexadecimal.times(1...4)
        func groups(_ count: Int) -> ByteExpression {
            count == 0 ? .empty : group + (.literal(":") + group).times(count - 1)
        }
        var forms: [ByteExpression] = [groups(8), groups(6) + .literal(":") + address4]
        for before in 0...7 {
            // Behind the “::”, with room for at least one group that it stands for.
            for after in 0...(7 - before) { forms.append(groups(before) + .literal("::") + groups(after)) }
            for after in 0...7 where before + after + 2 <= 7 {
                let groups6 = after == 0 ? ByteExpression.empty : groups(after) + .literal(":")
                forms.append(groups(before) + .literal("::") + groups6 + address4)
            }
        }
        return .any(forms)
    }()
}
