/// Owns the variables of one scope while it runs.
final class Frame {
    /// nil is a variable that is not defined.
    var slots: [Value?]
    /// The scope around it in the template's text.
    let outer: Frame?

    init(count: Int, outer: Frame?) {
        slots = [Value?](repeating: nil, count: count)
        self.outer = outer
    }

    func frame(_ framesUp: Int) -> Frame {
        var frame = self
        for _ in 0..<framesUp {
            guard let outer = frame.outer else { preconditionFailure("a variable lies in a scope that is there") }
            frame = outer
        }
        return frame
    }
}

/// A macro, or the body of a block that is called: what it does and the variables that it sees.
final class Macro {
    let definition: Statement.MacroDefinition
    let frame: Frame

    init(_ definition: Statement.MacroDefinition, frame: Frame) {
        self.definition = definition
        self.frame = frame
    }
}

/// Owns the state of a loop that runs: what `loop.index` and its like say.
final class LoopState {
    private let iterator: ValueIterator
    /// What the iterable says its length is; nil for iterators.
    private var knownCount: Int?
    /// Elements that were taken ahead of their turn; those before `aheadStart` had it.
    private var ahead: [Value] = []
    private var aheadStart = 0
    private(set) var index0 = -1
    private(set) var current: Value?
    private(set) var previous: Value?
    let depth0: Int
    /// The loop itself, for loops that call themselves.
    let recursion: Recursion?
    var lastChanged: [Value]?

    struct Recursion {
        let loop: Statement.Loop
        let frame: Frame
    }

    init(_ iterator: ValueIterator, count: Int?, depth0: Int, recursion: Recursion?) {
        self.iterator = iterator
        knownCount = count
        self.depth0 = depth0
        self.recursion = recursion
    }

    /// Goes to the next element; false behind the last.
    func advance() throws(TemplateError) -> Bool {
        let next: Value?
        if aheadStart < ahead.count {
            next = ahead[aheadStart]
            aheadStart += 1
        } else {
            next = try iterator.next()
        }
        guard let next else { return false }
        index0 += 1
        previous = current
        current = next
        return true
    }

    /// The next element, left in its place; nil behind the last.
    func peek() throws(TemplateError) -> Value? {
        if aheadStart < ahead.count { return ahead[aheadStart] }
        guard let next = try iterator.next() else { return nil }
        ahead = [next]
        aheadStart = 0
        return next
    }

    /// Elements in all; an iterator is walked to its end for it.
    func count() throws(TemplateError) -> Int {
        if let knownCount { return knownCount }
        while let next = try iterator.next() { ahead.append(next) }
        let count = index0 + 1 + ahead.count - aheadStart
        knownCount = count
        return count
    }
}
