import HTTPTypes
import HeddleCore
import Hummingbird

/// Answers what went wrong with OpenAI's error object, and names every answer.
struct FailureMiddleware: RouterMiddleware {
    let limits: GatewayLimits

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = Self.response(to: Self.failure(error, request))
        }
        if let own = request.headers[.requestID], Self.isName(own, limits) {
            response.headers[.requestID] = own
        } else if response.headers[.requestID] == nil {
            var generator = SystemRandomNumberGenerator()
            response.headers[.requestID] = HeddleCore.RequestID(using: &generator).description
        }
        return response
    }

    private static func isName(_ text: String, _ limits: GatewayLimits) -> Bool {
        (1...limits.identifierByteCountMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func failure(_ error: any Error, _ request: Request) -> HTTPFailure {
        if let failure = error as? HTTPFailure { return failure }
        if let error = error as? RequestError { return HTTPFailure(error) }
        if let error = error as? HTTPError {
            switch error.status {
            case .notFound:
                let path = request.uri.path.prefix(128)
                return HTTPFailure(status: 404, message: "there is no \(request.method) \(path)", code: "unknown_url")
            default:
                return HTTPFailure(
                    status: error.status.code, message: error.body ?? error.status.reasonPhrase, code: "bad_request")
            }
        }
        return HTTPFailure(status: 500, message: "the gateway failed: \(error)", type: "server_error", code: "internal")
    }

    static func response(to failure: HTTPFailure) -> Response {
        var response = Response(
            status: HTTPResponse.Status(code: failure.status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: failure.body)))
        if let after = failure.retryAfter {
            // Whole seconds in the one, which all programs know; the exact time in the other, which OpenAI's prefer.
            let milliseconds = after.components.seconds * 1000 + after.components.attoseconds / 1_000_000_000_000_000
            response.headers[.retryAfter] = "\(max(1, (milliseconds + 999) / 1000))"
            response.headers[.retryAfterMilliseconds] = "\(max(1, milliseconds))"
        }
        if failure.isFinal { response.headers[.shouldRetry] = "false" }
        if failure.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}

extension HTTPField.Name {
    /// Safety: each is a token by the grammar of HTTP.
    private static func named(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no name of a header") }
        return name
    }

    static let requestID = named("x-request-id")
    static let retryAfterMilliseconds = named("retry-after-ms")
    static let shouldRetry = named("x-should-retry")
    static let lastEventID = named("Last-Event-ID")
    static let idempotencyKey = named("Idempotency-Key")
    static let accelBuffering = named("x-accel-buffering")
}
