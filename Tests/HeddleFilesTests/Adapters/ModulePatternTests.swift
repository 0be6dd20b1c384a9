import Foundation
import HeddleFiles
import Testing

/// Patterns against what Python's `re` made of them (Goldens/make_adapter_goldens.py).
@Suite struct ModulePatternTests {
    private struct Line: Decodable {
        var pattern: String
        var refused: Bool
        var whole: [Int]
        var tail: [Int]?
    }

    @Test func patternsMatchWhatPythonMatchesOrAreRefused() throws {
        let lines = try GoldenFiles.lines("patterns.jsonl").map { Data($0) }
        let names = try JSONDecoder().decode([String].self, from: #require(lines.first)).map { ModuleName($0) }
        var (readCount, refusedCount) = (0, 0)
        for line in try lines.dropFirst().map({ try JSONDecoder().decode(Line.self, from: $0) }) {
            let pattern: ModulePattern
            do { pattern = try ModulePattern(line.pattern) } catch {
                if !line.refused { refusedCount += 1 }
                guard !line.refused, case .malformed = error else { continue }
                Issue.record("“\(line.pattern)” is a pattern to Python: \(error)")
                continue
            }
            #expect(!line.refused, "“\(line.pattern)” is none to Python")
            readCount += 1
            var budget = ModulePatternBudget()
            let whole = try names.indices.filter { try pattern.matchesWhole(names[$0], &budget) }
            #expect(whole == line.whole, "“\(line.pattern)”, whole")
            guard let expected = line.tail else { continue }
            let tail = try names.indices.filter { try pattern.matchesTail(names[$0], &budget) }
            #expect(tail == expected, "“\(line.pattern)”, tail")
        }
        #expect(readCount > 1000 && refusedCount < readCount / 20, "\(readCount) read, \(refusedCount) refused by name")
    }

    @Test(arguments: [
        (#".*(?<=q)_proj"#, "at character 2 stands a lookbehind; literals, classes"),
        (#"(?i)Q_PROJ"#, "at character 0 stands a flag"), (#"(a)\1"#, "at character 3 stands a backreference"),
        (#"(?P=n)"#, "at character 0 stands a backreference"), (#"(?>a)"#, "at character 0 stands an atomic group"),
        (#"a*+"#, "at character 2 stands a possessive repeat"), (#"(?#a)"#, "at character 0 stands a comment"),
        (#"(?(1)a)"#, "at character 0 stands a condition"), (#"\x41"#, #"at character 0 stands the escape “\x”"#),
        ("*a", "it is no pattern: nothing stands before a repeat at character 0"),
        ("(a", "it is no pattern: a group is not closed at character 0"),
        ("a)", "it is no pattern: a parenthesis closes no group at character 1"),
        ("[a", "it is no pattern: a class is not closed at character 0"),
    ])
    func whatIsNotReadIsNamed(pattern: String, message: String) {
        let text = errorText { _ = try ModulePattern(pattern) }
        #expect(text?.hasPrefix(message) == true, "\(text ?? "read")")
    }

    @Test func patternsThatDriveBacktrackingToDespairTakeFewSteps() throws {
        let name = ModuleName(String(repeating: "a", count: 126) + "b")
        var budget = ModulePatternBudget()
        for pattern in [
            "(a*)*c", "(a|a)*c", "(a|aa)+c", "((a+)+)+c", "(.*)*(.*)*(.*)*c", "(?=(a*)*c)a*b", "(a?){100}a{100}",
        ] {
            #expect(try !ModulePattern(pattern).matchesWhole(name, &budget))
        }
    }

    @Test func lengthsDepthsAndStepsAreBounded() throws {
        let deep = String(repeating: "(", count: 65) + String(repeating: ")", count: 65)
        #expect(errorText { _ = try ModulePattern(deep) } == "its groups are nested deeper than 64 at character 64")
        #expect(
            errorText { _ = try ModulePattern(String(repeating: "a", count: 1 << 17)) }
                == "it has 131072 characters; at most 65536 are read")
        var limits = ModulePatternLimits()
        limits.stepCountMax = 1000
        var budget = ModulePatternBudget(limits: limits)
        let slow = try ModulePattern("((.?){9}){9}x")
        let text = errorText {
            for _ in 0..<100 { _ = try slow.matchesWhole(ModuleName("model.layers.0.mlp.up_proj"), &budget) }
        }
        #expect(text == "it takes more than 1000 steps to compare it with the base model's modules")
    }
}
