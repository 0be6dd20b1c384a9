extension Renderer {
    func applyOrder(_ name: String, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch name {
        case "sort": return try sort(value, arguments)
        case "dictsort": return try sortDictionary(value, arguments)
        case "groupby": return try group(value, arguments)
        default: return try extreme(value, arguments, isLargest: name == "max")
        }
    }

    /// Sorted by keys, equal ones in the order in which they came; every comparison is a step.
    func sorted<Element>(
        _ elements: [Element], by key: (Element) throws(TemplateError) -> Value, isReversed: Bool,
        _ precedes: (Value, Value) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> [Element] {
        var keyed: [(key: Value, element: Element)] = []
        for element in elements { keyed.append((try key(element), element)) }
        // Turned round before and after, equal elements keep their order, and the same ones are compared as in Python.
        if isReversed { keyed.reverse() }
        var width = 1
        while width < keyed.count {
            var merged: [(key: Value, element: Element)] = []
            merged.reserveCapacity(keyed.count)
            var start = 0
            while start < keyed.count {
                let middle = min(start + width, keyed.count)
                let end = min(start + 2 * width, keyed.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    try spend()
                    let takesRight = try precedes(keyed[right].key, keyed[left].key)
                    merged.append(keyed[takesRight ? right : left])
                    if takesRight { right += 1 } else { left += 1 }
                }
                merged += keyed[left..<middle]
                merged += keyed[right..<end]
                start = end
            }
            keyed = merged
            width *= 2
        }
        if isReversed { keyed.reverse() }
        return keyed.map(\.element)
    }

    private func sort(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "sort", ["reverse", "case_sensitive", "attribute"])
        let isReversed = try integer(values[0], or: 0) != 0
        let isExact = try isTrue(values[1], or: false)
        let paths = try paths(values[2])
        let result = try sorted(
            try elements(of: value),
            by: { [self] (element) throws(TemplateError) in
                var keys: [Value] = []
                for path in paths {
                    let key = try follow(path, from: element)
                    keys.append(isExact ? key : ignoringCase(key))
                }
                return .list(Items(keys))
            }, isReversed: isReversed
        ) { [self] (a, b) throws(TemplateError) in try precedes(a, b, "<") }
        return try list(result)
    }

    private func sortDictionary(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "dictsort", ["case_sensitive", "by", "reverse"])
        let isExact = try isTrue(values[0], or: false)
        let by = values[1] ?? .text(Text("key"))
        guard let word = by.string?.description, word == "key" || word == "value" else {
            throw failure(.runtime, "You can only sort by either \"key\" or \"value\"")
        }
        if case .undefined(let undefined) = value { throw use(of: undefined) }
        guard case .mapping(let mapping) = value else {
            throw failure(.type, "'\(value.typeName)' object has no attribute 'items'")
        }
        let isReversed = try integer(values[2], or: 0) != 0
        let pairs = try sorted(
            mapping.entries,
            by: { [self] (entry) throws(TemplateError) in
                let key = word == "key" ? entry.key : entry.value
                return isExact ? key : ignoringCase(key)
            }, isReversed: isReversed
        ) { [self] (a, b) throws(TemplateError) in try precedes(a, b, "<") }
        return try list(pairs.map { .tuple(Items([$0.key, $0.value])) })
    }

    private func group(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "groupby", ["attribute", "default", "case_sensitive"], required: 1)
        let path = try path(values[0])
        let isExact = try isTrue(values[2], or: false)
        func key(_ element: Value) throws(TemplateError) -> Value {
            let key = try follow(path, from: element, default: values[1])
            return isExact ? key : ignoringCase(key)
        }
        let ordered = try sorted(try elements(of: value), by: key, isReversed: false) {
            [self] (a, b) throws(TemplateError) in
            try precedes(a, b, "<")
        }
        var groups: [(key: Value, members: [Value])] = []
        for element in ordered {
            let key = try key(element)
            if let last = groups.last, try isEqual(last.key, key) {
                groups[groups.count - 1].members.append(element)
            } else {
                groups.append((key, [element]))
            }
        }
        var result: [Value] = []
        for group in groups {
            let key = isExact ? group.key : try follow(path, from: group.members[0], default: values[1])
            let items = Items([key, try list(group.members)], isGroup: true)
            try check(depth: items.depth)
            result.append(.tuple(items))
        }
        return try list(result)
    }

    private func extreme(_ value: Value, _ arguments: CallArguments, isLargest: Bool) throws(TemplateError) -> Value {
        let values = try bind(arguments, isLargest ? "max" : "min", ["case_sensitive", "attribute"])
        let isExact = try isTrue(values[0], or: false)
        let path = try path(values[1])
        let iterator = try iterate(value)
        guard var best = try iterator.next() else {
            return .undefined(Undefined("No aggregated item, sequence was empty."))
        }
        func key(_ element: Value) throws(TemplateError) -> Value {
            let key = try follow(path, from: element)
            return isExact ? key : ignoringCase(key)
        }
        var bestKey = try key(best)
        while let next = try iterator.next() {
            let nextKey = try key(next)
            let isBetter =
                isLargest
                ? try precedes(bestKey, nextKey, ">", isTurned: true) : try precedes(nextKey, bestKey, "<")
            if isBetter { (best, bestKey) = (next, nextKey) }
        }
        return best
    }
}
