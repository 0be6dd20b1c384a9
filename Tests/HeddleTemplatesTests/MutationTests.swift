import HeddleFiles
import HeddleTemplates
import Testing

/// Templates with seeded changes to their bytes: each renders or is refused, within its steps.
@Suite struct MutationTests {
    /// A small generator, the same on every machine.
    private struct Random {
        var state: UInt64

        mutating func next(below bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ (z >> 31)) % UInt64(bound))
        }
    }

    private static let words = [
        "{%", "%}", "{{", "}}", "{#", "#}", "-", "+", "for x in messages", "endfor", "if", "endif", "set", "macro m(a)",
        "endmacro", "call", "loop", "|list", "|map('", "is", "not", "in", "(", ")", "[", "]", "{", "}", "'", "\"", "\\",
        "~", "**",
        "9999999999", "0", "range(9)", "namespace(a=1)", "ns.a", "%s", "recursive", "else", "break", "continue", "\n",
        " ", "é", "💥",
        "raise_exception(1)", "|tojson", "[::-1]", "generation", "raw", "endraw", "filter upper", "with a=1",
        "caller()", "kwargs",
    ]

    @Test func noChangeOfATemplateCrashesOrHangs() throws {
        var limits = TemplateLimits()
        limits.stepCountMax = 50_000
        limits.outputByteCountMax = 100_000
        var sources: [[UInt8]] = []
        var prompt: ChatPrompt?
        for line in try Golden.lines("chats.jsonl") {
            if let source = line["source"]?.text { sources.append(Array(source.utf8)) }
            if prompt == nil, let messages = line["messages"]?.array, line["tools"] != nil {
                prompt = ChatPrompt(messages: messages.compactMap(\.object), tools: line["tools"]?.array)
            }
        }
        for line in try Golden.lines("snippets.jsonl").dropFirst() {
            if let source = line["source"]?.text, source.utf8.count > 40 { sources.append(Array(source.utf8)) }
        }
        let conversation = try #require(prompt)
        let time = CalendarTime(year: 2026, month: 3, day: 7)
        var random = Random(state: 20_260_307)
        var rendered = 0
        for round in 0..<6000 {
            var bytes = sources[round % 4 == 0 ? random.next(below: 16) : random.next(below: sources.count)]
            for _ in 0...random.next(below: 4) { Self.change(&bytes, &random, sources) }
            let source = String(decoding: bytes, as: UTF8.self)
            let template = try? ChatTemplate(
                source: source, specialTokens: [.init(name: "bos_token", text: "<s>")], limits: limits)
            if let template, (try? template.render(conversation, time: time)) != nil { rendered += 1 }
        }
        // Most changes break a template; some must not, or nothing was tried.
        #expect(rendered > 200)
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout Random, _ sources: [[UInt8]]) {
        let place = random.next(below: bytes.count + 1)
        switch random.next(below: 6) {
        case 0: if place < bytes.count { bytes[place] = UInt8(random.next(below: 256)) }
        case 1: bytes.insert(contentsOf: Array(words[random.next(below: words.count)].utf8), at: place)
        case 2:
            let end = min(bytes.count, place + random.next(below: 12))
            bytes.removeSubrange(place..<end)
        case 3:
            let other = sources[random.next(below: sources.count)]
            let start = random.next(below: other.count)
            bytes.insert(contentsOf: other[start..<min(other.count, start + 30)], at: place)
        case 4:
            let end = min(bytes.count, place + random.next(below: 30))
            bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
        default: bytes = Array(bytes[..<max(1, place)])
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "x")] }
    }
}
