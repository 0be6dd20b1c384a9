/// Says why a template could not be read or rendered, and on which of its lines.
public struct TemplateError: Error, Hashable, Sendable {
    /// What kind of mistake it is; each but the last two is an exception that Python's Jinja2 raises at the same place.
    public enum Kind: String, Hashable, Sendable {
        /// The template is not Jinja (`TemplateSyntaxError`, `TemplateAssertionError`).
        case syntax
        /// An undefined value was used (`UndefinedError`).
        case undefined
        /// `TypeError`.
        case type
        /// `ValueError` and `AssertionError`.
        case value
        /// `IndexError` and `KeyError`.
        case lookup
        /// `ZeroDivisionError`.
        case zeroDivision
        /// `OverflowError`.
        case overflow
        /// What the sandbox forbids (`SecurityError`).
        case security
        /// `TemplateRuntimeError` and `FilterArgumentError`.
        case runtime
        /// The template itself refused the conversation with `raise_exception`; the message is the template's.
        case raised
        /// Jinja2 renders this and Heddle does not: it is refused rather than rendered differently.
        case unsupported
        /// A bound of `TemplateLimits` was reached; the message names it.
        case limit
    }

    /// What kind of mistake it is.
    public let kind: Kind
    /// One sentence, without the line.
    public let message: String
    /// The line of the template, from 1; 0 where no line is to blame.
    public let line: Int

    /// States a mistake.
    public init(kind: Kind, message: String, line: Int) {
        self.kind = kind
        self.message = message
        self.line = line
    }
}

extension TemplateError: CustomStringConvertible {
    /// The message with its line; what a template raised is given as it raised it.
    public var description: String {
        if kind == .raised { return message }
        return line > 0 ? "line \(line): \(message)" : message
    }
}
