import Foundation
import HeddleCore
import HeddleFiles
import HeddleRoles
import Testing

struct ChoiceTextTests {
    private let tokenizer: Tokenizer

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        tokenizer = try Tokenizer(path: root.path + "/HeddleFilesTests/Goldens/gpt2.tokenizer.json")
    }

    private func tokens(_ text: String) -> [TokenID] { tokenizer.encode(text, addSpecialTokens: false) }

    @Test func thePiecesOfAnyCutsAddUpToTheText() {
        let text = "Grüße, 世界! 👩‍👩‍👧 and so on"
        let all = tokens(text)
        for step in 1...4 {
            var choice = ChoiceText(tokenizer, stops: [])
            var pieces = ""
            for start in stride(from: 0, to: all.count, by: step) {
                let end = min(start + step, all.count)
                pieces += choice.text(of: start..<end, in: all, isEnd: end == all.count)
            }
            #expect(pieces == text)
        }
    }

    @Test func aClientThatComesBackIsSentTheSamePieces() {
        let all = tokens("one two three 世界 four")
        var choice = ChoiceText(tokenizer, stops: [])
        let first = choice.text(of: 0..<3, in: all, isEnd: false)
        let rest = choice.text(of: 3..<all.count, in: all, isEnd: true)
        #expect(choice.text(of: 0..<3, in: all, isEnd: false) == first)
        #expect(choice.text(of: 3..<all.count, in: all, isEnd: true) == rest)
        #expect(first + rest == "one two three 世界 four")
    }

    @Test func aStreamThatBeginsInTheMiddleHasItsOwnText() {
        let all = tokens("one two three four five")
        var whole = ChoiceText(tokenizer, stops: [])
        var late = ChoiceText(tokenizer, stops: [])
        let head = whole.text(of: 0..<2, in: all, isEnd: false)
        #expect(head + late.text(of: 2..<all.count, in: all, isEnd: true) == "one two three four five")
    }

    @Test func theCutAtAStopStringDoesNotDependOnHowTokensCame() {
        let all = tokens("alpha beta gamma STOP delta epsilon")
        var kept: Set<Int> = []
        for step in 1...all.count {
            var choice = ChoiceText(tokenizer, stops: ["STOP"])
            var safe = 0
            for end in stride(from: step, through: all.count + step, by: step) {
                let present = Array(all.prefix(end))
                switch choice.scan(present, isLast: end >= all.count) {
                case .safe(let count):
                    #expect(count >= safe && count <= present.count)
                    safe = count
                    continue
                case .stopped(let count):
                    #expect(count >= safe)
                    kept.insert(count)
                    let text = choice.text(of: 0..<count, in: Array(present.prefix(count)), isEnd: true)
                    #expect(text == "alpha beta gamma ")
                }
                break
            }
        }
        #expect(kept.count == 1)
    }

    @Test func aStopStringThatTheLeastLengthCoversIsText() {
        let all = tokens("alpha STOP beta STOP gamma")
        func text(after count: Int) -> String {
            var choice = ChoiceText(tokenizer, stops: ["STOP"], stopFreeTokenCount: count)
            for end in 1...all.count {
                guard case .stopped(let kept) = choice.scan(Array(all.prefix(end)), isLast: end == all.count) else {
                    continue
                }
                #expect(end > count)
                return choice.text(of: 0..<kept, in: Array(all.prefix(kept)), isEnd: true)
            }
            return choice.text(of: 0..<all.count, in: all, isEnd: true)
        }
        // The first STOP is complete with the token whose end its last byte is.
        let ends = (1...all.count).map { tokenizer.decode(Array(all.prefix($0))).utf8.count }
        let first = (ends.firstIndex { $0 >= "alpha STOP".utf8.count } ?? 0) + 1
        #expect(text(after: 0) == "alpha ")
        #expect(text(after: first - 1) == "alpha ")
        #expect(text(after: first) == "alpha STOP beta ")
        #expect(text(after: all.count) == "alpha STOP beta STOP gamma")
    }

    @Test func withoutAStopEverythingIsSafeAtTheEnd() {
        let all = tokens("alpha ST")
        var choice = ChoiceText(tokenizer, stops: ["STOP"])
        #expect(choice.scan(all, isLast: false) != .safe(tokenCount: all.count))
        #expect(choice.scan(all, isLast: true) == .safe(tokenCount: all.count))
        #expect(choice.text(of: 0..<all.count, in: all, isEnd: true) == "alpha ST")
    }
}
