import Foundation
import HeddleCore
import HeddleFiles
import HeddleGrammar
import Testing

/// Answers drawn at random under masks, on the vocabularies of several families.
@Suite struct AnswerTests {
    /// `HEDDLE_PYTHON`, or what `make test` installs: an interpreter that has jsonschema.
    private static let python: String? = {
        let environment = ProcessInfo.processInfo.environment
        let places = [environment["HEDDLE_PYTHON"], Vocabularies.root.path + "/.build/venv/bin/python"]
        return places.compactMap { $0 }.first { path in
            FileManager.default.isExecutableFile(atPath: path)
                && (try? run(path, ["-c", "import jsonschema, rfc3339_validator"], input: ""))?.status == 0
        }
    }()

    private static let canRun = python != nil || ProcessInfo.processInfo.environment["CI"] != nil

    private static func run(
        _ program: String, _ arguments: [String], input: String
    ) throws -> (output: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("heddle-\(UUID().uuidString)")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }

    private static func quoted(_ text: String) throws -> String {
        String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
    }

    /// Reads lines of schema and answers, says how many answers there were, and prints each that is not valid.
    private static let checker = """
        import json, sys
        from jsonschema import Draft202012Validator
        count = 0
        for line in sys.stdin:
            line = json.loads(line)
            validator = Draft202012Validator(json.loads(line["schema"]), format_checker=Draft202012Validator.FORMAT_CHECKER)
            for text in line["answers"]:
                count += 1
                try:
                    error = next(validator.iter_errors(json.loads(text)), None)
                except ValueError as wrong:
                    error = wrong
                if error: print("INVALID", text, "|", line["schema"], "|", str(error)[:200])
        print("CHECKED", count)
        """

    /// Every family draws under every schema; what is drawn and ends is valid, says the jsonschema package.
    @Test(.enabled(if: canRun), arguments: Vocabularies.paths.keys.sorted())
    func everyFinishedAnswerIsValid(family: String) throws {
        let python = try #require(Self.python, "jsonschema is missing: make test installs it, or set HEDDLE_PYTHON")
        let tokenizer = try Vocabularies.tokenizer(family)
        let vocabulary = Vocabularies.vocabulary(tokenizer)
        let closers = try ["\"", "}", "]", ",", ":", "0"].map { text in
            try #require((0..<TokenID(tokenizer.tokenCount)).first { tokenizer.tokenBytes($0) == Array(text.utf8) })
        }
        var lines: [String] = []
        var finishedCount = 0
        for (index, golden) in SchemaGolden.all.enumerated() where index % 2 == 0 {
            let matcher = ConstraintMatcher(
                try Automaton(.jsonSchema(golden.schema), bytes: vocabulary.spelled), vocabulary: vocabulary)
            var generator = SeededGenerator(seed: UInt64(index))
            var answers: [String] = []
            for _ in 0..<2 {
                guard let tokens = matcher.randomAnswer(&generator, closers: closers, tokenCountMax: 300) else {
                    continue
                }
                answers.append(tokenizer.decode(tokens))
            }
            finishedCount += answers.count
            lines.append(
                "{\"schema\": \(try Self.quoted(golden.schema)), \"answers\": ["
                    + (try answers.map(Self.quoted)).joined(separator: ", ") + "]}")
        }
        #expect(finishedCount > 300)
        let result = try Self.run(python, ["-c", Self.checker], input: lines.joined(separator: "\n"))
        #expect(result.output == "CHECKED \(finishedCount)\n" && result.status == 0, "\(result.output.prefix(2000))")
    }

    /// A mask is what stepping every token through the automaton says, in every state that is come to.
    @Test(arguments: ["llama3", "llama2"]) func aMaskIsEveryTokenThatTheAutomatonTakes(family: String) throws {
        let tokenizer = try Vocabularies.tokenizer(family)
        let vocabulary = Vocabularies.vocabulary(tokenizer)
        for (index, golden) in SchemaGolden.all.enumerated() where index % 25 == 3 {
            let automaton = try Automaton(.jsonSchema(golden.schema), bytes: vocabulary.spelled)
            let matcher = ConstraintMatcher(automaton, vocabulary: vocabulary)
            var generator = SeededGenerator(seed: UInt64(index))
            var state = matcher.start
            for _ in 0..<12 {
                let mask = matcher.mask(of: state)
                for token in 0..<TokenID(tokenizer.tokenCount) {
                    let isTaken = matcher.state(after: token, from: state) != nil
                    #expect(mask.contains(token) == isTaken, "token \(token) under \(golden.schema)")
                    if isTaken { #expect(!tokenizer.isSpecial(token)) }
                }
                guard let token = mask.random(&generator), let next = matcher.state(after: token, from: state) else {
                    break
                }
                state = next
            }
        }
    }

    /// What was found out and forgotten before makes no difference: the state is a function of the tokens.
    @Test func aStateIsAFunctionOfTheTokens() throws {
        let tokenizer = try Vocabularies.tokenizer("llama3")
        let vocabulary = Vocabularies.vocabulary(tokenizer)
        for (index, golden) in SchemaGolden.all.enumerated() where index % 20 == 0 {
            let automaton = try Automaton(.jsonSchema(golden.schema), bytes: vocabulary.spelled)
            let used = ConstraintMatcher(automaton, vocabulary: vocabulary)
            used.prepare()
            for text in golden.valid {
                let tokens = tokenizer.encode(text, addSpecialTokens: false)
                let fresh = ConstraintMatcher(
                    try Automaton(.jsonSchema(golden.schema), bytes: vocabulary.spelled), vocabulary: vocabulary)
                let (one, other) = (used.state(afterTokens: tokens), fresh.state(afterTokens: tokens))
                #expect(one == other)
                if let one, let other { #expect(used.mask(of: one) == fresh.mask(of: other)) }
            }
        }
    }

    /// What a step pays at a vocabulary of 128 Ki tokens, once what a schema needs was found out. The bound is far above what is
    /// measured (Docs/STRUCTURED.md), because machines are busy; it fails where a mask is made anew for each step.
    @Test func aMaskCostsAStepLittle() throws {
        let tokens = Vocabularies.synthetic(128 << 10)
        let vocabulary = TokenVocabulary(tokenCount: tokens.count) { tokens[Int($0)] }
        let schema =
            #"{"type":"object","properties":{"name":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},"#
            + #""n":{"type":"integer","minimum":0,"maximum":100}},"required":["name","tags","n"],"additionalProperties":false}"#
        let matcher = ConstraintMatcher(
            try Automaton(.jsonSchema(schema), bytes: vocabulary.spelled), vocabulary: vocabulary)
        matcher.prepare()
        var generator = SeededGenerator(seed: 1)
        var times: [Duration] = []
        let closers = "\"}],:0".utf8.map { TokenID($0) }
        for round in 0..<20 {
            var state = matcher.start
            for _ in 0..<60 {
                let began = ContinuousClock.now
                let mask = matcher.mask(of: state)
                if round >= 10 { times.append(ContinuousClock.now - began) }
                let closer = Bool.random(using: &generator) ? closers.first { mask.contains($0) } : nil
                guard let token = closer ?? mask.random(&generator), let next = matcher.state(after: token, from: state)
                else { break }
                state = next
            }
        }
        let median = times.sorted()[times.count / 2]
        print("a mask of 128 Ki tokens: median \(median), mean \(times.reduce(.zero, +) / times.count)")
        #expect(median < .microseconds(500))
    }
}
