import Foundation
import HeddleFiles
import HeddleTemplates
import Testing

/// Nothing that a template says makes rendering crash, hang or fill the memory.
@Suite struct LimitTests {
    private static func kind(_ source: String, limits: TemplateLimits = TemplateLimits()) -> TemplateError.Kind? {
        Outcome { () throws(TemplateError) in try Template(source, limits: limits).render([]) }.error?.kind
    }

    private static func small(_ change: (inout TemplateLimits) -> Void) -> TemplateLimits {
        var limits = TemplateLimits()
        change(&limits)
        return limits
    }

    @Test func deepTemplatesAreRefused() {
        let deep = String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
        #expect(Self.kind("{{ \(deep) }}") == .limit)
        #expect(Self.kind("{{ \(String(repeating: "not ", count: 5000)) 1 }}") == .limit)
        #expect(Self.kind("{{ \(String(repeating: "-", count: 5000)) 1 }}") == .limit)
        let lists = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(Self.kind("{{ \(lists) }}") == .limit)
        #expect(Self.kind("{{ a\(String(repeating: ".b", count: 5000)) }}") == .limit)
        #expect(Self.kind("{{ 1\(String(repeating: "+1", count: 5000)) }}") == .limit)
        #expect(Self.kind("{{ 1\(String(repeating: "|abs", count: 5000)) }}") == .limit)
        #expect(Self.kind("{{ 1\(String(repeating: " if 1 else 1", count: 5000)) }}") == .limit)
        #expect(Self.kind(String(repeating: "{% if 1 %}", count: 5000)) == .limit)
        #expect(Self.kind("{% set \(deep) = 1 %}") == .limit)
        #expect(Self.kind("{{ 'x'\(String(repeating: " ~ 'x'", count: 5000)) }}") == nil)
        #expect(Self.kind(String(repeating: "x", count: 300_000)) == .limit)
        let words = (0..<3000).map { "a\($0)" }.joined(separator: ",")
        #expect(Self.kind("{{ [\(words)] }}") == .limit)
    }

    @Test func theDeepestAllowedTemplateRenders() {
        let brackets = String(repeating: "(", count: 55) + "1" + String(repeating: ")", count: 55)
        #expect(Self.kind("{{ \(brackets) }}") == nil)
        #expect(Self.kind("{{ 1\(String(repeating: "+1", count: 240)) }}") == nil)
        let blocks = String(repeating: "{% if 1 %}", count: 60) + String(repeating: "{% endif %}", count: 60)
        #expect(Self.kind(blocks) == nil)
        // Every level of macros, loops and blocks at once, down to the limit of open levels.
        let recursion = """
            {% macro m(n) %}{% for x in [1] %}{% set y %}{{ (m(n + 1) ~ [n, {'a': n}])|trim }}{% endset %}{% endfor %}\
            {% endmacro %}{{ m(0) }}
            """
        #expect(Self.kind(recursion) == .limit)
        #expect(Self.kind("{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}") == .limit)
        #expect(Self.kind("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}") == .limit)
        #expect(
            Self.kind(
                "{% macro m() %}{{ caller() }}{% call m() %}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}")
                == .limit)
    }

    @Test func longRenderingsAreRefused() {
        let loops = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"
        #expect(Self.kind(loops) == .limit)
        #expect(Self.kind("{{ range(100001) }}") == .overflow)
        #expect(Self.kind("{{ 'x' * 1000000000000 }}") == .limit)
        #expect(Self.kind("{{ [1] * 1000000000000 }}") == .limit)
        #expect(Self.kind("{{ 'x'|center(1000000000000) }}") == .limit)
        #expect(Self.kind("{{ '%1000000000d' % 1 }}") == .limit)
        #expect(Self.kind("{{ '{:1000000000}'.format(1) }}") == .limit)
        #expect(Self.kind("{{ 'x'.ljust(1000000000) }}") == .limit)
        #expect(Self.kind("{{ 'x'|indent(1000000000, true) }}") == .limit)
        #expect(Self.kind("{{ [1]|tojson(indent=1000000000) }}") == .limit)
        #expect(Self.kind("{{ [1, 2]|batch(1000000000, 1)|list }}") == .limit)
        #expect(
            Self.kind(
                "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}")
                == .limit)
        #expect(
            Self.kind(
                "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x|replace('', ns.x) %}{% endfor %}"
            ) == .limit)
        #expect(Self.kind("{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}") == .limit)
        #expect(Self.kind("{{ ('a' * 100000).count('a' * 50000 ~ 'b') }}") == nil)
        #expect(Self.kind("{{ ('a' * 1000000).replace('a' * 500000 ~ 'b', '')|length }}") == nil)
    }

    @Test func valuesThatReferToEachOtherEnd() {
        let namespaces = "{% set ns = namespace() %}{% set ns.x = ns %}"
        #expect(Self.kind(namespaces + "{{ ns }}") == .limit)
        #expect(Self.kind(namespaces + "{{ ns == ns }}{{ ns|tojson }}") == .type)
        let lists = "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
        #expect(Self.kind(lists) == .limit)
        let few = "{% set ns = namespace(x=[]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
        #expect(Self.kind(few) == nil)
        #expect(Self.kind(few + "{{ ns.x }}") == .limit)
        #expect(Self.kind(few + "{{ ns.x|tojson }}") == .limit)
        let twin = few.replacingOccurrences(of: "ns", with: "other")
        #expect(Self.kind(few + twin + "{{ ns.x == other.x }}") == .limit)
        let iterators =
            "{% set ns = namespace(x=[1]) %}{% for i in range(1000) %}{% set ns.x = ns.x|map('abs') %}{% endfor %}"
        #expect(Self.kind(iterators) == .limit)
        // Chains of a hundred thousand scopes and namespaces, which must not be released by recursion.
        let chain = """
            {% set ns = namespace(f=none) %}{% macro make(last) %}{% macro inner() %}{{ last }}{% endmacro %}\
            {% set ns.f = inner %}{% endmacro %}{% for i in range(100000) %}{{ make(ns.f) }}{% endfor %}
            """
        #expect(Self.kind(chain) == nil)
        let linked = """
            {% set ns = namespace(x=none) %}{% for i in range(100000) %}{% set n = namespace(a=ns.x) %}\
            {% set ns.x = n %}{% endfor %}
            """
        #expect(Self.kind(linked) == nil)
    }

    @Test func limitsAreTheCallers() {
        #expect(Self.kind("{{ 'x' * 20 }}", limits: Self.small { $0.outputByteCountMax = 10 }) == .limit)
        #expect(
            Self.kind("{% for i in range(10) %}x{% endfor %}", limits: Self.small { $0.stepCountMax = 10 }) == .limit)
        #expect(Self.kind("{{ [[[1]]] }}", limits: Self.small { $0.valueDepthMax = 2 }) == .limit)
        #expect(Self.kind("xxx", limits: Self.small { $0.templateByteCountMax = 2 }) == .limit)
        #expect(Self.kind("{{ range(3) }}", limits: Self.small { $0.rangeCountMax = 2 }) == .overflow)
    }

    @Test func errorsNameTheirLine() {
        let source = "a\n{% if true %}\n  {{ nothing.more }}\n{% endif %}"
        let outcome = Outcome { () throws(TemplateError) in try Template(source).render([]) }
        #expect(outcome.error == TemplateError(kind: .undefined, message: "'nothing' is undefined", line: 3))
        let broken = Outcome { () throws(TemplateError) in try Template("a\n\n{% if %}").render([]) }
        #expect(broken.error?.line == 3)
        #expect(broken.error?.description.hasPrefix("line 3: ") == true)
    }

    @Test func aTimeIsNeverTakenFromAClock() {
        #expect(Self.kind("{{ strftime_now('%Y') }}") == .unsupported)
    }

    @Test func namesAreComparedByteForByte() throws {
        // U+212A is canonically equal to K, which Swift's strings would take for the same name.
        let text = try Template("{{ K }}").render([
            ("\u{212A}", .integer(1)), ("K", .integer(2)), ("K\u{301}", .integer(3)),
        ])
        #expect(text == "2")
    }
}
