import Foundation
import HeddleCore
import Yams

/// Reads one mapping of the file: refuses unknown keys, and turns each value into what its key means or into a
/// complaint.
struct MappingReader {
    /// Path of the mapping in the file, such as `nodes[1]`; empty at the top.
    let path: String
    let mark: Mark?
    private let values: [String: Node]
    private let report: Report

    /// Nil, with a complaint, where the node is no mapping.
    init?(_ node: Node, path: String, keys: [String], report: Report) {
        guard case .mapping(let mapping) = node else {
            report.complain(
                node.mark, path, "must be a mapping with the keys \(keys.joined(separator: ", ")), not \(node.kind)")
            return nil
        }
        var values: [String: Node] = [:]
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report.complain(key.mark, path, "a key must be a word, not \(key.kind)")
                continue
            }
            guard keys.contains(scalar.string) else {
                report.complain(
                    key.mark, Self.join(path, scalar.string),
                    "no such key" + Suggestion.text(for: scalar.string, among: keys)
                        + "; known here: \(keys.joined(separator: ", "))")
                continue
            }
            values[scalar.string] = value
        }
        self.path = path
        self.mark = node.mark
        self.values = values
        self.report = report
    }

    func has(_ key: String) -> Bool { values[key] != nil }
    func key(_ key: String) -> String { Self.join(path, key) }
    func complain(_ name: String, _ text: String) { report.complain(values[name]?.mark ?? mark, key(name), text) }

    /// The value of a key that must be there.
    func needed(_ name: String) -> Node? {
        if let node = values[name] { return node }
        report.complain(mark, key(name), "is missing")
        return nil
    }

    func node(_ name: String) -> Node? { values[name] }

    // MARK: Scalars

    func text(_ name: String, isNeeded: Bool = false) -> Located<String>? {
        guard let node = isNeeded ? needed(name) : values[name] else { return nil }
        return scalar(node, key(name))
    }

    func name<Kind: Name>(_ name: String, _: Kind.Type, isNeeded: Bool = true) -> Located<Kind>? {
        guard let text = text(name, isNeeded: isNeeded) else { return nil }
        return Self.name(text, report)
    }

    func names<Kind: Name>(_ name: String, _: Kind.Type) -> [Located<Kind>]? {
        guard values[name] != nil else { return nil }
        return list(name).compactMap { item in
            scalar(item.node, item.path).flatMap { Self.name($0, report) }
        }
    }

    private static func name<Kind: Name>(_ text: Located<String>, _ report: Report) -> Located<Kind>? {
        guard Kind.isValid(text.value) else {
            report.complain(
                text,
                "“\(text.value)” is no name: 1 to \(Kind.byteCountMax) letters, digits, “-”, “_” and “.”")
            return nil
        }
        return Located(value: Kind(text.value), mark: text.mark, key: text.key)
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _: Choice.Type, isNeeded: Bool = false
    ) -> Located<Choice>? where Choice.RawValue == String {
        text(name, isNeeded: isNeeded).flatMap { Self.choice($0, report) }
    }

    func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) -> [Located<Choice>]
    where Choice.RawValue == String {
        list(name).compactMap { item in scalar(item.node, item.path).flatMap { Self.choice($0, report) } }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: Located<String>, _ report: Report
    ) -> Located<Choice>? where Choice.RawValue == String {
        if let choice = Choice(rawValue: text.value) { return Located(value: choice, mark: text.mark, key: text.key) }
        let known = Choice.allCases.map(\.rawValue)
        report.complain(
            text,
            "“\(text.value)” must be \(known.count == 1 ? "" : "one of ")\(known.joined(separator: ", "))"
                + Suggestion.text(for: text.value, among: known))
        return nil
    }

    func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text.value), range.contains(number) else {
            report.complain(
                text, "“\(text.value)” must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    func bytes(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        guard let count = Quantity.bytes(text.value) else {
            report.complain(text, "“\(text.value)” must be \(Quantity.byteRule)")
            return nil
        }
        guard range.contains(count) else {
            report.complain(text, "“\(text.value)” must be from \(range.lowerBound) to \(range.upperBound) bytes")
            return nil
        }
        return count
    }

    func duration(_ name: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let text = text(name) else { return nil }
        guard let duration = Quantity.duration(text.value) else {
            report.complain(text, "“\(text.value)” must be \(Quantity.durationRule)")
            return nil
        }
        guard range.contains(duration) else {
            report.complain(text, "“\(text.value)” must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return duration
    }

    func flag(_ name: String) -> Bool? {
        guard let text = text(name) else { return nil }
        switch text.value {
        case "true": return true
        case "false": return false
        default:
            report.complain(text, "“\(text.value)” must be true or false")
            return nil
        }
    }

    func endpoint(_ name: String) -> Located<Endpoint>? {
        guard let text = text(name) else { return nil }
        do throws(Endpoint.Refusal) {
            return Located(value: try Endpoint(text.value), mark: text.mark, key: text.key)
        } catch {
            report.complain(text, error.reason)
            return nil
        }
    }

    /// `ADDRESS:PORT`.
    func address(_ name: String) -> Located<Endpoint>? {
        guard let text = text(name) else { return nil }
        do throws(Endpoint.Refusal) {
            return Located(value: try Endpoint(address: text.value), mark: text.mark, key: text.key)
        } catch {
            report.complain(text, error.reason)
            return nil
        }
    }

    private func scalar(_ node: Node, _ key: String) -> Located<String>? {
        guard case .scalar(let scalar) = node else {
            report.complain(node.mark, key, "must be one value, not \(node.kind)")
            return nil
        }
        guard !scalar.string.isEmpty, node.tag != Tag(.null) else {
            report.complain(node.mark, key, "is empty")
            return nil
        }
        return Located(value: scalar.string, mark: node.mark, key: key)
    }

    // MARK: Lists

    /// The entries of a list with their paths; nothing, with a complaint where it is no list, otherwise.
    func list(_ name: String, countMax: Int = 65_536) -> [(path: String, node: Node)] {
        guard let node = values[name] else { return [] }
        guard case .sequence(let sequence) = node else {
            report.complain(node.mark, key(name), "must be a list, not \(node.kind)")
            return []
        }
        guard sequence.count <= countMax else {
            report.complain(node.mark, key(name), "has \(sequence.count) entries; at most \(countMax) are allowed")
            return []
        }
        return sequence.enumerated().map { ("\(key(name))[\($0.offset)]", $0.element) }
    }

    private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

extension Node {
    /// What a person would call this node.
    var kind: String {
        switch self {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "“\(scalar.string)”"
        case .alias: "an alias"
        }
    }
}
