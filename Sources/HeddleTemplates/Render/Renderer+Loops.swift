extension Renderer {
    func run(_ loop: Statement.Loop, _ frame: Frame) throws(TemplateError) -> Flow {
        line = loop.line
        let iterable = try evaluate(loop.iterable, frame)
        guard loop.isRecursive else { return try iterateBody(loop, over: iterable, frame, depth0: 0) }
        let text = try runRecursively(loop, over: iterable, frame, depth0: 0)
        try write(text.bytes)
        return .next
    }

    /// One level of a loop that calls itself: its text, to be put where it was called.
    func runRecursively(
        _ loop: Statement.Loop, over iterable: Value, _ frame: Frame, depth0: Int
    ) throws(TemplateError) -> Text {
        try caught { () throws(TemplateError) in try iterateBody(loop, over: iterable, frame, depth0: depth0) }.text
    }

    @inline(never)
    private func iterateBody(
        _ loop: Statement.Loop, over iterable: Value, _ frame: Frame, depth0: Int
    ) throws(TemplateError) -> Flow {
        line = loop.line
        var iterator = try iterate(iterable)
        var knownCount = try length(of: iterable)
        if let test = loop.test {
            knownCount = nil
            iterator = filtered(iterator, by: test, loop, frame)
        }
        let state = LoopState(
            iterator, count: knownCount, depth0: depth0,
            recursion: loop.isRecursive ? LoopState.Recursion(loop: loop, frame: frame) : nil)
        let inner = Frame(count: loop.body.scope.starts.count, outer: frame)
        var isEmpty = true
        while try state.advance() {
            guard let element = state.current else { break }
            try spend()
            try assign(element, to: loop.target, inner)
            inner.slots[loop.loopSlot] = .loop(state)
            start(inner, loop.body.scope)
            let flow = try run(loop.body.statements, inner)
            if flow == .breakLoop {
                // Jinja2 notes only at a body's end that there was an element.
                break
            }
            if flow == .next { isEmpty = false }
        }
        guard isEmpty, !loop.otherwise.statements.isEmpty else { return .next }
        let otherwise = Frame(count: loop.otherwise.scope.starts.count, outer: frame)
        start(otherwise, loop.otherwise.scope)
        return try run(loop.otherwise.statements, otherwise)
    }

    private func filtered(
        _ iterator: ValueIterator, by test: Expression, _ loop: Statement.Loop, _ frame: Frame
    ) -> ValueIterator {
        let inner = Frame(count: loop.testScope.starts.count, outer: frame)
        var isStarted = false
        return ValueIterator(depth: iterator.depth + 1) { [self] () throws(TemplateError) -> Value? in
            // The test's other names are looked up when the first element is asked for.
            if !isStarted { start(inner, loop.testScope) }
            isStarted = true
            while let element = try iterator.next() {
                try spend()
                try assign(element, to: loop.testTarget, inner)
                if try isTrue(try evaluate(test, inner)) { return element }
            }
            return nil
        }
    }

    // MARK: what a loop says of itself

    func attribute(_ name: Text, of loop: LoopState) throws(TemplateError) -> Value? {
        switch name.description {
        case "index": return .integer(loop.index0 + 1)
        case "index0": return .integer(loop.index0)
        case "first": return .bool(loop.index0 == 0)
        case "last": return .bool(try loop.peek() == nil)
        case "length": return .integer(try loop.count())
        case "revindex": return .integer(try loop.count() - loop.index0)
        case "revindex0": return .integer(try loop.count() - loop.index0 - 1)
        case "depth": return .integer(loop.depth0 + 1)
        case "depth0": return .integer(loop.depth0)
        case "previtem":
            if loop.index0 == 0 { return .undefined(Undefined("there is no previous item")) }
            return loop.previous
        case "nextitem": return try loop.peek() ?? .undefined(Undefined("there is no next item"))
        case "cycle", "changed": return .method(BoundMethod(.loop(loop), name.description))
        default: return nil
        }
    }

    func callLoopMethod(_ loop: LoopState, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty else { throw failure(.type, "\(name)() takes no keyword arguments") }
        let values = arguments.positional
        if name == "cycle" {
            guard !values.isEmpty else { throw failure(.type, "no items for cycling given") }
            return values[loop.index0 % values.count]
        }
        if let last = loop.lastChanged, last.count == values.count {
            var isSame = true
            for (left, right) in zip(last, values) where try !isEqual(left, right) { isSame = false }
            if isSame { return .bool(false) }
        }
        loop.lastChanged = values
        return .bool(true)
    }

    /// `loop(children)` renders the body of a recursive loop over other elements.
    func call(_ loop: LoopState, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.positional.count == 1, arguments.keywords.isEmpty else {
            throw failure(.type, "loop() takes one argument")
        }
        guard let recursion = loop.recursion else {
            throw failure(.type, "The loop must have the 'recursive' marker to be called recursively.")
        }
        return .text(
            try runRecursively(
                recursion.loop, over: arguments.positional[0], recursion.frame, depth0: loop.depth0 + 1))
    }
}
