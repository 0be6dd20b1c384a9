import HeddleFiles

/// Owns one rendering: the variables, the text so far, and what it has cost. The same template with the same variables
/// and the same time always gives the same text.
final class Renderer {
    let limits: TemplateLimits
    let variables: [Text: Value]
    let time: CalendarTime?
    var meter: Meter
    /// The line of the template that is being rendered.
    var line = 0
    var depth = 0
    /// The texts of the blocks that are open; the last is written to.
    var outputs: [[UInt8]] = [[]]
    /// What `filter` and `set` blocks caught, innermost last.
    var captured: [Text] = []
    /// What may refer to itself, to be emptied at the end.
    private var namespaces: [Namespace] = []
    private var closures: [Frame] = []

    private init(variables: [Text: Value], time: CalendarTime?, limits: TemplateLimits) {
        self.variables = variables
        self.time = time
        self.limits = limits
        meter = Meter(stepCountMax: limits.stepCountMax)
    }

    /// The text that the template makes of the variables.
    static func render(
        _ template: Binder.Bound, variables: [(name: String, value: JSONValue)], time: CalendarTime?,
        limits: TemplateLimits
    ) throws(TemplateError) -> [UInt8] {
        var values: [Text: Value] = [:]
        for (name, value) in variables { values[Text(name)] = try ValueReader.value(of: value, limits: limits) }
        let renderer = Renderer(variables: values, time: time, limits: limits)
        defer { renderer.release() }
        let root = Frame(count: template.scope.starts.count, outer: nil)
        renderer.start(root, template.scope)
        _ = try renderer.run(template.statements, root)
        return renderer.outputs[0]
    }

    /// Takes apart what refers to itself, one by one, so that nothing is kept and no chain is released by recursion.
    private func release() {
        for namespace in namespaces { namespace.attributes = [] }
        for frame in closures { frame.slots = [] }
    }

    func keep(_ namespace: Namespace) { namespaces.append(namespace) }

    func keep(_ frame: Frame) { if closures.last !== frame { closures.append(frame) } }

    // MARK: errors and costs

    func failure(_ kind: TemplateError.Kind, _ message: String) -> TemplateError {
        TemplateError(kind: kind, message: message, line: line)
    }

    func unsupported(_ what: String) -> TemplateError { failure(.unsupported, "\(what) is not supported") }

    func use(of undefined: Undefined) -> TemplateError {
        failure(undefined.isForbidden ? .security : .undefined, undefined.message)
    }

    func spend(_ count: Int = 1) throws(TemplateError) {
        guard meter.spend(count) else {
            throw failure(.limit, "rendering takes more than \(limits.stepCountMax) steps")
        }
    }

    /// Goes one level deeper; the caller leaves it with `depth -= 1`.
    func enter() throws(TemplateError) {
        depth += 1
        guard depth <= limits.evaluationDepthMax else {
            throw failure(.limit, "rendering is nested deeper than \(limits.evaluationDepthMax)")
        }
    }

    /// Checks and counts a text of so many bytes, before it is made where that can be known.
    func spend(bytes count: Int) throws(TemplateError) {
        guard count <= limits.outputByteCountMax else {
            throw failure(.limit, "a text is longer than \(limits.outputByteCountMax) bytes")
        }
        try spend(1 + count / 16)
    }

    /// Checks and counts what a text of `count` bytes grows by.
    func spend(bytes count: Int, growingBy added: Int) throws(TemplateError) {
        guard count + added <= limits.outputByteCountMax else {
            throw failure(.limit, "a text is longer than \(limits.outputByteCountMax) bytes")
        }
        try spend(1 + added / 16)
    }

    func text(_ text: Text) throws(TemplateError) -> Value {
        try spend(bytes: text.bytes.count)
        return .text(text)
    }

    func list(_ values: [Value]) throws(TemplateError) -> Value { .list(try items(values)) }

    func tuple(_ values: [Value]) throws(TemplateError) -> Value { .tuple(try items(values)) }

    private func items(_ values: [Value]) throws(TemplateError) -> Items {
        try spend(1 + values.count)
        let items = Items(values)
        try check(depth: items.depth)
        return items
    }

    func mapping(_ pairs: [(key: Value, value: Value)]) throws(TemplateError) -> Value {
        try spend(1 + pairs.count)
        var hashed: [(hash: HashKey, key: Value, value: Value)] = []
        for (key, value) in pairs { hashed.append((try hash(of: key), key, value)) }
        let mapping = Mapping(hashed)
        try check(depth: mapping.depth)
        return .mapping(mapping)
    }

    func iterator(
        over depth: Int, _ next: @escaping () throws(TemplateError) -> Value?
    ) throws(TemplateError) -> Value {
        try check(depth: depth + 1)
        return .iterator(ValueIterator(depth: depth + 1, next))
    }

    func check(depth: Int) throws(TemplateError) {
        guard depth <= limits.valueDepthMax else {
            throw failure(.limit, "values are nested deeper than \(limits.valueDepthMax)")
        }
    }

    // MARK: output

    func write(_ bytes: [UInt8]) throws(TemplateError) {
        try spend(1 + bytes.count / 16)
        let last = outputs.count - 1
        guard outputs[last].count + bytes.count <= limits.outputByteCountMax else {
            throw failure(.limit, "the text is longer than \(limits.outputByteCountMax) bytes")
        }
        outputs[last] += bytes
    }

    /// What the body writes, caught instead of written.
    func caught(_ body: () throws(TemplateError) -> Flow) throws(TemplateError) -> (text: Text, flow: Flow) {
        outputs.append([])
        let flow = try body()
        return (Text(outputs.removeLast()), flow)
    }
}

/// How statements end.
enum Flow {
    case next
    case breakLoop
    case continueLoop
}
