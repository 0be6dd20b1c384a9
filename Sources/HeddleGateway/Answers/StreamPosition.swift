import HeddleCore

/// How far a stream has come, as its events carry it in their ids: a client that lost the connection sends the last id that it
/// saw as `Last-Event-ID`, to any gateway of the mesh, and gets what comes behind.
///
/// `REQUEST.CREATED.NEXT[f][@OFFSET],…`: the first request's id, when the call came, and for each choice the index of the next
/// token, whether its end was sent, and where its text stands (where log-probabilities of completions need that).
package struct StreamPosition: Hashable, Sendable {
    package struct Choice: Hashable, Sendable {
        package var nextIndex = 0
        package var isEnded = false
        package var textOffset = 0

        package init(nextIndex: Int = 0, isEnded: Bool = false, textOffset: Int = 0) {
            self.nextIndex = nextIndex
            self.isEnded = isEnded
            self.textOffset = textOffset
        }
    }

    package var request: RequestID
    package var created: Int
    package var choices: [Choice]

    package init(request: RequestID, created: Int, choices: [Choice]) {
        self.request = request
        self.created = created
        self.choices = choices
    }

    /// The event id.
    package var text: String {
        let choices = choices.map { choice in
            "\(choice.nextIndex)\(choice.isEnded ? "f" : "")\(choice.textOffset > 0 ? "@\(choice.textOffset)" : "")"
        }
        return "\(request).\(created).\(choices.joined(separator: ","))"
    }

    /// Reads an event id that may hold anything.
    package init?(_ text: String, choiceCountMax: Int) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let request = RequestID(String(parts[0])), let created = Self.number(parts[1]) else {
            return nil
        }
        var choices: [Choice] = []
        for part in parts[2].split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
            let isEnded = halves[0].last == "f"
            guard choices.count < choiceCountMax, let next = Self.number(isEnded ? halves[0].dropLast() : halves[0]),
                let offset = halves.count == 1 ? 0 : Self.number(halves[1])
            else { return nil }
            choices.append(Choice(nextIndex: next, isEnded: isEnded, textOffset: offset))
        }
        self.init(request: request, created: created, choices: choices)
    }

    private static func number(_ digits: Substring) -> Int? {
        guard (1...12).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }
}
