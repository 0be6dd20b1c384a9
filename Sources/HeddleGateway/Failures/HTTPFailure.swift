import HeddleCore

/// Why a call gets no answer, as OpenAI's programs read it: a status, and the error object's `message`, `type`, `param` and
/// `code`.
package struct HTTPFailure: Error, Hashable, Sendable {
    package var status: Int
    /// One sentence for people.
    package var message: String
    /// The family of the code.
    package var type: String
    /// The field at fault.
    package var parameter: String?
    /// Snake case, for programs.
    package var code: String
    /// When the same call may succeed; nil where nobody knows.
    package var retryAfter: Duration?
    /// The same call would fail again, though its status is one that programs retry.
    package var isFinal = false

    package init(
        status: Int, message: String, type: String = "invalid_request_error", parameter: String? = nil, code: String,
        retryAfter: Duration? = nil, isFinal: Bool = false
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
        self.retryAfter = retryAfter
        self.isFinal = isFinal
    }

    /// A field with a value that it cannot have.
    package static func invalid(_ parameter: String, _ message: String) -> HTTPFailure {
        HTTPFailure(status: 400, message: message, parameter: parameter, code: "invalid_parameter")
    }

    /// A field, or a value of one, that Heddle does not have.
    package static func unsupported(_ parameter: String, _ message: String) -> HTTPFailure {
        HTTPFailure(status: 400, message: message, parameter: parameter, code: "unsupported_parameter")
    }

    /// The error object of OpenAI's programs.
    package var body: [UInt8] {
        var text = JSONText()
        text.object { text in
            text.member("error") { text in
                text.member("message", message)
                text.member("type", type)
                text.member("param", parameter)
                text.member("code", code)
            }
        }
        return text.bytes
    }
}
