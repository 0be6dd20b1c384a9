import HeddleFiles

/// Owns one Jinja template, read and checked: it renders as Python's Jinja2 does in the environment that `transformers`
/// makes for chat templates, or refuses with a `TemplateError`. Nothing is rendered differently in silence.
///
/// The environment: `trim_blocks`, `lstrip_blocks`, no escaping of HTML, immutable values, `break` and `continue`, the
/// `generation` block, `raise_exception`, `strftime_now`, and a `tojson` that escapes nothing for HTML.
public struct Template: Sendable {
    private let bound: Binder.Bound
    private let limits: TemplateLimits

    /// Reads a template.
    /// - Throws: `TemplateError` of the kinds `syntax`, `unsupported` and `limit`.
    public init(_ source: String, limits: TemplateLimits = TemplateLimits()) throws(TemplateError) {
        limits.check()
        self.limits = limits
        bound = try Binder.bind(try Parser.statements(of: Array(source.utf8), limits: limits))
    }

    /// The text that the template makes of the variables.
    ///
    /// - Parameters:
    ///   - variables: by name; later ones replace earlier ones of the same name.
    ///   - time: what `strftime_now` reads. A template that asks without one is refused: no clock is hidden here.
    public func render(
        _ variables: [(name: String, value: JSONValue)], time: CalendarTime? = nil
    ) throws(TemplateError) -> String {
        String(
            decoding: try Renderer.render(bound, variables: variables, time: time, limits: limits), as: UTF8.self)
    }
}
