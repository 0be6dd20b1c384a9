import HeddleFiles
import Testing

/// What Oniguruma does with these patterns is in Goldens/Families/variants.json; here is what needs no golden.
@Suite struct PatternTests {
    private func matches(
        _ program: PatternProgram, _ text: [UInt8], stepsPerByteMax: Int = PatternProgram.stepsPerByteMax
    ) -> [Range<Int>] {
        var found: [Range<Int>] = []
        _ = text.withUnsafeBufferPointer { bytes in
            program.forEachMatch(in: bytes, stepsPerByteMax: stepsPerByteMax) { found.append($0) }
        }
        return found
    }

    private static let patterns = [
        #"(a|b)*?c|a{2,}b?"#, #"(?:a|ab)(?:c|bcd)?"#, #"a*b|a"#, #"a++b|a"#, #"[ab]+?c|\w"#, #"(?:ab|a)+c|b"#,
        #"a(?=[ab]*c)|b(?![ab]*c)|c"#, #"(?:(?:a|b)(?=a|b|c)){2}|(?<!c)c"#, #"a?+b|\ba|c\b"#,
        #"[^\r\n\p{L}]?\p{L}+|\s+(?!\S)|\s+"#,
        #"a(?=(?:b(?=[bc]+a)|c)*+)"#, #"(?:a{1,3}+b?)+c|^b|c$"#, #"(a(b(c|a)*)*)*c"#,
    ]

    /// Remembering failures changes no match, whenever it starts.
    @Test func rememberingFailuresChangesNoMatch() throws {
        var generator = SeededGenerator(state: 8)
        let letters = Array("aabbcc é\n".utf8)
        var count = 0
        for pattern in Self.patterns {
            guard let program = try? PatternProgram(pattern) else { continue }
            for _ in 0..<400 {
                let text = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &generator)]
                }
                let bytes = Array(String(decoding: text, as: UTF8.self).utf8)
                let expected = matches(program, bytes)
                for limit in [0, 1] {
                    #expect(matches(program, bytes, stepsPerByteMax: limit) == expected, "\(pattern)")
                }
                count += expected.count
            }
        }
        #expect(count > 10_000)
    }

    /// Ways to fail late from every place: each pattern would need a quadratic or exponential number of steps.
    @Test(
        arguments: [
            #"a*b|a"#, #"a++b|a"#, #"(?:a|a)*b|a"#, #"(?:a+)+b|a"#, #"a(?=a*b)|a"#, #"a(?!a*b)"#, #"(?:a?){20}b|a"#,
            #"(?:aa|a)+(?=c)|a"#, #"\d{1,3}(?=(?:\d{3})*\b)|a"#, #"[^b]+?b|a"#, #"(?:a*?b|a)"#,
        ])
    func patternsTakeLinearTime(pattern: String) throws {
        let program = try PatternProgram(pattern)
        for byte in [UInt8(0x61), 0x31] {
            let text = [UInt8](repeating: byte, count: 1 << 16)
            var count = 0
            let steps = text.withUnsafeBufferPointer { bytes in program.forEachMatch(in: bytes) { _ in count += 1 } }
            #expect(steps < 200 * text.count, "\(pattern) took \(steps) steps for \(text.count) bytes")
            if byte == 0x61 { #expect(count == text.count) }
        }
    }

    @Test(arguments: [
        ("a**", "a quantity of a quantity"), ("(?>a)", "the group “(?>a…”"), ("a|", "never matches the empty text"),
        ("(?:a*)*b", "repeated without end"), (#"\k<a>"#, "is not understood"), ("[a", "not closed"),
        ("(a", "not closed"),
        ("a)", "closes no group"), ("[b-a]", "empty"), (#"\p{Klingon}"#, "“Klingon”"), ("[a&&b]", "“&&”"),
        ("a{3,2}", "interval"), ("a{999}", "above 256"), ("a{2}?", "“{n}?”"), ("(?i:é)", "beyond ASCII"),
        ("(?i:strasse)", "“st”"), ("(?i:x|ss)", "“ss”"), ("(?<=ab)c", "more than one scalar"), (#"\xe9"#, "malformed"),
        ("[[:alpha:]]", "“[:”"),
        ("(?:a+)++b", "quantity of a group"), (#"(a)\1"#, #"“\1”"#), ("[]a]", "“]”"), ("", "empty text"),
        (String(repeating: "(", count: 40), "deeper than 32"), ("(?:(?:(?:a{200}){200}){200})", "instructions"),
    ])
    func whatIsNotUnderstoodIsRefused(pattern: String, reason: String) {
        #expect { _ = try PatternProgram(pattern) } throws: { error in
            (error as? PatternError)?.reason.contains(reason) == true
        }
    }

    /// A mutated pattern is refused, or matches something somewhere and ends.
    @Test func mutatedPatternsNeverTrap() {
        var generator = SeededGenerator(state: 21)
        let signs = Array(#"abc\pLsdwzAb{}()[]|*+?^$.-:=!<>i0123,&"#.unicodeScalars)
        let text = Array("ab 12 abcabc\n é\u{301} AAAA 日本\r\n!!".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            var pattern = Array(
                Self.patterns[Int.random(in: 0..<Self.patterns.count, using: &generator)].unicodeScalars)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<pattern.count, using: &generator)
                let sign = signs[Int.random(in: 0..<signs.count, using: &generator)]
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: pattern[place] = sign
                case 1: pattern.insert(sign, at: place)
                default: if pattern.count > 1 { pattern.remove(at: place) }
                }
            }
            guard let program = try? PatternProgram(String(String.UnicodeScalarView(pattern))) else { continue }
            accepted += 1
            #expect(matches(program, text, stepsPerByteMax: 0) == matches(program, text))
        }
        #expect(accepted > 1000)
    }
}
