import HeddleCore
import HeddleFiles
import Testing

@Suite struct TextStreamTests {
    /// What a search in the whole text finds: the stop string that is complete first, of several the longest.
    private func naiveStop(_ text: [UInt8], _ stops: [[UInt8]]) -> (index: Int, start: Int)? {
        for end in 0...text.count {
            var found: (index: Int, start: Int)?
            for (index, stop) in stops.enumerated()
            where end >= stop.count && text[(end - stop.count)..<end].elementsEqual(stop) {
                if found.map({ end - stop.count < $0.start }) ?? true { found = (index, end - stop.count) }
            }
            if let found { return found }
        }
        return nil
    }

    @Test func streamsEqualASearchInTheWholeText() throws {
        let tokenizer = try GoldenFiles.tokenizer("gpt2")
        var generator = SeededGenerator(state: 3)
        // Few letters and characters of several bytes, so that stop strings overlap with everything.
        let alphabet = ["a", "b", "ab", "ba", "é", "日", "😀", "\u{FFFD}", " "].flatMap { tokenizer.encode($0) }
        let bytes = (0..<TokenID(tokenizer.tokenCount)).filter { tokenizer.tokenBytes($0).count == 1 }
        var stopped = 0
        for _ in 0..<5000 {
            let tokens = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
                Int.random(in: 0..<6, using: &generator) == 0
                    ? bytes[Int.random(in: 0..<bytes.count, using: &generator)]
                    : alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            let whole = Array(tokenizer.decode(tokens).utf8)
            let stops = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                    ["a", "b", "é", "日", "😀", "\u{FFFD}", " "][Int.random(in: 0..<7, using: &generator)]
                }.joined()
            }
            let expected = naiveStop(whole, stops.map { Array($0.utf8) })
            var stream = TextStream(tokenizer, stopStrings: stops)
            var text: [UInt8] = []
            var stop: TextStream.Stop?
            for token in tokens {
                let delivery = stream.push(token)
                try #require(stop == nil || (delivery.text.isEmpty && delivery.stop == nil), "nothing follows a stop")
                text += Array(delivery.text.utf8)
                stop = stop ?? delivery.stop
            }
            let last = stream.finish()
            text += Array(last.text.utf8)
            stop = stop ?? last.stop
            try #require(stream.stop == stop)
            try #require(stream.finish().text.isEmpty)
            guard let expected else {
                try #require(stop == nil && text == whole, "\(tokens) \(stops)")
                continue
            }
            stopped += 1
            try #require(text == Array(whole[..<expected.start]), "\(tokens) \(stops)")
            let found = try #require(stop)
            try #require(stops[found.index] == stops[expected.index] && found.byteCount == expected.start)
            // The fewest tokens whose text covers what was delivered.
            var covering = 0
            while decodedPrefixByteCount(tokenizer, tokens.prefix(covering), of: tokens.count) < expected.start {
                covering += 1
            }
            try #require(found.tokenCount == covering, "\(tokens) \(stops)")
        }
        #expect(stopped > 500)
    }

    private func decodedPrefixByteCount(_ tokenizer: Tokenizer, _ tokens: some Collection<TokenID>, of count: Int)
        -> Int
    {
        var decoder = IncrementalDecoder(tokenizer)
        var bytes: [UInt8] = []
        for token in tokens { decoder.push(token, into: &bytes) }
        if tokens.count == count { decoder.finish(into: &bytes) }
        return bytes.count
    }

    @Test func onlyWhatMayBeAStopStringIsHeldBack() throws {
        let tokenizer = try GoldenFiles.tokenizer("gpt2")
        var stream = TextStream(tokenizer, stopStrings: ["END", "\n\n"])
        func push(_ text: String) -> (text: String, stop: TextStream.Stop?) {
            let deliveries = tokenizer.encode(text).map { stream.push($0) }
            return (deliveries.map(\.text).joined(), deliveries.compactMap(\.stop).first)
        }
        #expect(push("abc").text == "abc")
        #expect(push("E").text == "" && push("N").text == "" && push("x").text == "ENx")
        #expect(push("\n").text == "" && push("y").text == "\ny")
        let stop = push("zEND and more")
        #expect(stop.text == "z" && stop.stop?.index == 0 && stop.stop?.byteCount == 9)
        #expect(push("!").text == "" && stream.finish().text == "")
    }

    @Test func textIsNeverHalfACharacter() throws {
        let tokenizer = try GoldenFiles.tokenizer("gpt2")
        var decoder = IncrementalDecoder(tokenizer)
        let tokens = Array("a😀é".utf8).flatMap { byte in
            (0..<TokenID(tokenizer.tokenCount)).filter { tokenizer.tokenBytes($0) == [byte] }
        }
        #expect(tokens.map { decoder.push($0) } == ["a", "", "", "", "😀", "", "é"])
        #expect(decoder.finish() == "")
        _ = decoder.push(tokens[1])
        _ = decoder.push(tokens[2])
        #expect(decoder.finish() == "\u{FFFD}" && decoder.finish() == "")
    }

    @Test func idsWithoutATokenAddNothing() throws {
        let tokenizer = try GoldenFiles.tokenizer("gpt2")
        #expect(tokenizer.decode([-1, .max, .min, 1_000_000]) == "")
        #expect(tokenizer.tokenBytes(-1) == [] && !tokenizer.isSpecial(.max))
    }
}
