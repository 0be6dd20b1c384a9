import Foundation
import HeddleFiles
import HeddleTemplates
import Testing

/// Thousands of small templates, rendered as Python's Jinja2 rendered them or refused where it did.
@Suite struct SnippetTests {
    /// Snippets that Heddle refuses by name although Jinja2 renders them, in a thousand.
    private static let unsupportedShareMax = 30

    @Test func everySnippetRendersAsInPython() throws {
        let lines = try Golden.lines("snippets.jsonl")
        let variables = Golden.variables(try #require(lines.first?["variables"]?.object))
        let time = CalendarTime(year: 2026, month: 3, day: 7, hour: 9, minute: 5, second: 3, microsecond: 42)
        var wrong = 0
        var unsupported: [String] = []
        for line in lines.dropFirst() {
            let source = try #require(line["source"]?.text)
            let outcome = Outcome { () throws(TemplateError) in
                try Template(source).render(variables, time: time)
            }
            if outcome.error?.kind == .unsupported {
                unsupported.append("\(source): \(outcome.error?.message ?? "")")
                continue
            }
            guard let difference = outcome.difference(from: line) else { continue }
            wrong += 1
            if wrong <= 40 { Issue.record("\(source)\n\(difference)") }
        }
        if let path = ProcessInfo.processInfo.environment["HEDDLE_TEST_REPORT"] {
            try unsupported.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(wrong == 0, "\(wrong) of \(lines.count - 1) snippets differ")
        #expect(
            unsupported.count * 1000 <= Self.unsupportedShareMax * lines.count, "\(unsupported.count) are not supported"
        )
    }

    /// What Jinja2 3.1 on Python 3.11 gives for x = 2 and y = 3: a sign that it computed first binds weaker than the power of what it
    /// cannot know yet.
    @Test(arguments: [
        ("-2 ** x", "-4"), ("(-2) ** x", "-4"), ("(1-3) ** x", "-4"), ("-2 ** 3 ** x", "-64"), ("-2 ** 2", "4"),
        ("-x ** 2", "4"), ("2 ** -x", "0.25"), ("-2.0 ** x", "-4.0"), ("- -2 ** x", "4"), ("(-2*3) ** x", "-36"),
        ("-y ** x", "9"), ("(-2) ** (x + 1)", "-8"), ("2 * -3 ** x", "-18"), ("(-2)|abs ** x", "4"),
    ])
    func aNegativeConstantIsRaisedAsInPython(source: String, text: String) throws {
        let rendered = try Template("{{ \(source) }}").render([("x", .integer(2)), ("y", .integer(3))])
        #expect(rendered == text)
    }
}

/// A text or an error, to compare with a golden.
struct Outcome {
    var text: String?
    var error: TemplateError?

    init(_ body: () throws(TemplateError) -> String) {
        do throws(TemplateError) {
            text = try body()
        } catch {
            self.error = error
        }
    }

    /// What differs; nil where nothing does.
    func difference(from golden: JSONObject) -> String? {
        if let expected = golden["text"]?.text {
            if let error { return "expected \(expected.debugDescription), got \(error.kind): \(error)" }
            guard Array(expected.utf8) == Array((text ?? "").utf8) else {
                return "expected \(expected.debugDescription), got \((text ?? "").debugDescription)"
            }
            return nil
        }
        let kind = golden["error"]?.text ?? ""
        guard let error else { return "expected the error \(kind), got \((text ?? "").debugDescription)" }
        guard error.kind.rawValue == kind else { return "expected the error \(kind), got \(error.kind): \(error)" }
        guard let message = golden["message"]?.text, message != error.message else { return nil }
        return "expected the message \(message.debugDescription), got \(error.message.debugDescription)"
    }
}
