/// Writes spans as OTLP/HTTP wants them in JSON: ids in hexadecimal, enums as integers, nanoseconds as strings.
///
/// Names of attributes are those of OpenTelemetry's conventions for generative AI where it has one, else `heddle.…`. The
/// trace's id is the request's.
public struct TraceDocument: Sendable {
    /// Whom the spans are told of.
    public var node: NodeName
    public var incarnation: Incarnation
    public var version: String
    /// What a moment of this process's clock has to be moved by to be nanoseconds since 1970.
    public var epochOffset: Int64

    public init(node: NodeName, incarnation: Incarnation, version: String, epochOffset: Int64) {
        self.node = node
        self.incarnation = incarnation
        self.version = version
        self.epochOffset = epochOffset
    }

    /// The body of one export.
    public func json(_ spans: [TraceSpan]) -> String {
        let resource = [
            Self.attribute("service.name", .text("heddle")), Self.attribute("service.version", .text(version)),
            Self.attribute("service.instance.id", .text(incarnation.description)),
            Self.attribute("heddle.node", .text(node.text)),
        ].joined(separator: ",")
        return #"{"resourceSpans":[{"resource":{"attributes":["# + resource
            + #"]},"scopeSpans":[{"scope":{"name":"heddle","version":"# + Self.quoted(version) + #"},"spans":["#
            + spans.map(span).joined(separator: ",") + "]}]}]}"
    }

    private func span(_ span: TraceSpan) -> String {
        // A server's span for the request itself; everything else is inside.
        let kind = span.name == .request ? 2 : 1
        var attributes = [Self.attribute("heddle.actor", .text(span.actor))]
        if !span.reason.isEmpty { attributes.append(Self.attribute("heddle.reason", .text(span.reason))) }
        if span.name == .request {
            attributes.append(Self.attribute("gen_ai.operation.name", .text("text_completion")))
            attributes.append(Self.attribute("gen_ai.provider.name", .text("heddle")))
        }
        attributes += span.fields.map { Self.attribute(Self.key($0.key, in: span.name), $0.value) }
        if let error = span.error { attributes.append(Self.attribute("error.type", .text(error))) }
        var members = [
            #""traceId":"\#(span.request)""#, #""spanId":"\#(span.id)""#,
            #""name":\#(Self.quoted(span.name.rawValue))"#, #""kind":\#(kind)"#,
            #""startTimeUnixNano":"\#(nanoseconds(span.start))""#,
            #""endTimeUnixNano":"\#(nanoseconds(span.end ?? span.start))""#,
            #""attributes":[\#(attributes.joined(separator: ","))]"#,
            #""status":{"code":\#(span.error == nil ? 1 : 2)}"#,
        ]
        if let parent = span.parent { members.insert(#""parentSpanId":"\#(parent)""#, at: 2) }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func nanoseconds(_ moment: Instant) -> Int64 { Int64(clamping: moment.nanoseconds) &+ epochOffset }

    private static func key(_ key: String, in name: TraceSpan.Name) -> String {
        guard name == .request else { return "heddle." + key.replacing(" ", with: "_") }
        return switch key {
        case "model": "gen_ai.request.model"
        case "prompt": "gen_ai.usage.input_tokens"
        case "generated": "gen_ai.usage.output_tokens"
        case "first token": "heddle.first_token_seconds"
        default: "heddle." + key
        }
    }

    private static func attribute(_ key: String, _ value: ReportValue) -> String {
        let value =
            switch value {
            case .text(let text): #"{"stringValue":\#(quoted(text))}"#
            // 64-bit integers are strings in protobuf's JSON.
            case .integer(let integer): #"{"intValue":"\#(integer)"}"#
            case .number(let number): #"{"doubleValue":\#(number.isFinite ? "\(number)" : "0")}"#
            }
        return #"{"key":\#(quoted(key)),"value":\#(value)}"#
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
