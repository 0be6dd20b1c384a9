/// What a template and its rendering may cost at most; whatever would pass a bound ends in a `limit` error.
public struct TemplateLimits: Hashable, Sendable {
    /// Bytes of one template.
    public var templateByteCountMax = 256 << 10
    /// Different words in a template's tags: names, filters, attributes, keywords.
    public var wordCountMax = 1_024
    /// Statements inside statements, and expressions inside brackets.
    public var nestingMax = 64
    /// Levels of one expression's tree, such as the links of `a.b.c` or the terms of `a + b + c`.
    public var expressionDepthMax = 250
    /// Levels of evaluation that are open at once while rendering: macros that call each other count all their levels.
    /// So many levels take less than 1 MiB of stack.
    public var evaluationDepthMax = 500
    /// Lists inside lists that a template may build or be given.
    public var valueDepthMax = 100
    /// Steps of one rendering: an expression, a statement, an element taken or 16 bytes of text made is a step.
    public var stepCountMax = 5_000_000
    /// Bytes of the rendered text, and of any one string on the way there.
    public var outputByteCountMax = 16 << 20
    /// Elements of a `range`; what the sandbox of Jinja2 allows.
    public var rangeCountMax = 100_000

    /// The limits for chat templates.
    public init() {}

    package func check() {
        precondition(
            templateByteCountMax > 0 && wordCountMax > 0 && nestingMax > 0 && expressionDepthMax > 0
                && evaluationDepthMax > 0
                && valueDepthMax > 0 && stepCountMax > 0 && outputByteCountMax > 0 && rangeCountMax >= 0,
            "every limit of a template is above zero")
    }
}
