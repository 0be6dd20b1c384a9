extension Renderer {
    func call(_ function: GlobalFunction, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict: return try mapping(try pairs(of: arguments, "dict"))
        case .namespace:
            let namespace = Namespace()
            keep(namespace)
            for (key, value) in try pairs(of: arguments, "namespace") {
                guard let name = key.string else { throw unsupported("a namespace with a key that is no text") }
                try set(namespace, name, value)
            }
            return .namespace(namespace)
        case .joiner:
            let separator = try bind(arguments, "joiner", ["sep"])[0] ?? .text(Text(", "))
            try check(depth: separator.depth + 1)
            return .joiner(Joiner(separator))
        case .cycler:
            guard arguments.keywords.isEmpty else { throw failure(.type, "cycler() takes no keyword arguments") }
            guard !arguments.positional.isEmpty else {
                throw failure(.runtime, "at least one item has to be provided")
            }
            let cycler = Cycler(arguments.positional)
            try check(depth: Value.cycler(cycler).depth)
            return .cycler(cycler)
        case .raiseException:
            let message = try bind(arguments, "raise_exception", ["message"], required: 1)[0] ?? .none
            throw failure(.raised, try string(of: message).description)
        case .strftimeNow:
            let format = try bind(arguments, "strftime_now", ["format"], required: 1)[0] ?? .none
            return try text(Text(try now(try string(format, "strftime() argument 1"))))
        case .lipsum: throw unsupported("lipsum, whose text is random,")
        }
    }

    private func now(_ format: Text) throws(TemplateError) -> String {
        guard let time else { throw unsupported("strftime_now without a time") }
        try spend(bytes: format.bytes.count)
        guard let text = time.formatted(format.description) else {
            throw unsupported("the time format \(Representation.quoted(format).description)")
        }
        return text
    }

    private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty else { throw failure(.type, "range() takes no keyword arguments") }
        var numbers: [Int] = []
        for value in arguments.positional { numbers.append(try integer(value, or: 0)) }
        let (start, stop, step): (Int, Int, Int)
        switch numbers.count {
        case 1: (start, stop, step) = (0, numbers[0], 1)
        case 2: (start, stop, step) = (numbers[0], numbers[1], 1)
        case 3: (start, stop, step) = (numbers[0], numbers[1], numbers[2])
        default: throw failure(.type, "range expected 1 to 3 arguments, got \(numbers.count)")
        }
        guard step != 0 else { throw failure(.value, "range() arg 3 must not be zero") }
        let isEmpty = step > 0 ? stop <= start : stop >= start
        let (distance, isOver) =
            step > 0
            ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        let width = step == .min ? Int.max : abs(step)
        let count = isEmpty ? 0 : isOver ? Int.max : 1 + (distance - 1) / width
        guard count <= limits.rangeCountMax else {
            throw failure(
                .overflow,
                "Range too big. The sandbox blocks ranges larger than MAX_RANGE (\(limits.rangeCountMax)).")
        }
        return .range(Progression(start: start, stop: stop, step: step, count: count))
    }

    /// What `dict(…)` takes: a dictionary or pairs, and names.
    private func pairs(
        of arguments: CallArguments, _ function: String
    ) throws(TemplateError) -> [(key: Value, value: Value)] {
        guard arguments.positional.count <= 1 else {
            throw failure(.type, "\(function) expected at most 1 argument, got \(arguments.positional.count)")
        }
        var result: [(key: Value, value: Value)] = []
        if let value = arguments.positional.first {
            if case .mapping(let mapping) = value {
                result = mapping.entries
            } else {
                let iterator = try iterate(value)
                while let next = try iterator.next() {
                    let pair = try elements(of: next)
                    guard pair.count == 2 else {
                        throw failure(
                            .value, "dictionary update sequence element has length \(pair.count); 2 is required")
                    }
                    result.append((pair[0], pair[1]))
                }
            }
        }
        return result + arguments.keywords.map { (.text($0.name), $0.value) }
    }
}
