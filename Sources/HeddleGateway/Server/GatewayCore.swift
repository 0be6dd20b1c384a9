import Crypto
import Foundation
import HTTPTypes
import HeddleCore
import HeddleRoles
import HeddleTemplates
import Hummingbird
import Logging

/// What all routes share: the router's front, the models' chat templates, the calls that are open.
package struct GatewayCore: Sendable {
    let front: RouterFront
    let limits: GatewayLimits
    let logger: Logger
    /// Whether a key is that of those who may administer; nil where nobody may.
    let isAdminKey: @Sendable (String) -> Bool?
    let connections = ConnectionBook()
    let calls = OpenCalls()
    /// When the gateway began, in seconds since 1970.
    let created: Int
    private let templates: [ModelName: Result<ChatTemplate, ChatTemplateError>]

    init(
        front: RouterFront, limits: GatewayLimits, isAdminKey: @escaping @Sendable (String) -> Bool?, logger: Logger
    ) {
        self.front = front
        self.isAdminKey = isAdminKey
        self.limits = limits
        self.logger = logger
        created = Int(Date().timeIntervalSince1970)
        var templates: [ModelName: Result<ChatTemplate, ChatTemplateError>] = [:]
        for model in front.models {
            templates[model.name] = Result { () throws(ChatTemplateError) in try ChatTemplate(folder: model.folder) }
        }
        self.templates = templates
    }

    /// The chat template of a model.
    func template(of model: ModelName) throws(HTTPFailure) -> ChatTemplate {
        switch templates[model] {
        case .success(let template)?: return template
        case .failure(.noTemplate)?, nil:
            throw HTTPFailure(
                status: 400,
                message: "model “\(model)” has no chat template; it continues text: POST /v1/completions",
                parameter: "model", code: "no_chat_template")
        case .failure?:
            throw HTTPFailure(
                status: 500, message: "the chat template of model “\(model)” cannot be read; the node's log says why",
                type: "server_error", parameter: "model", code: "chat_template_invalid", isFinal: true)
        }
    }

    /// Templates that are there and cannot be read, for the log.
    var templateTroubles: [(ModelName, ChatTemplateError)] {
        templates.sorted { $0.key < $1.key }.compactMap { model, result in
            guard case .failure(let error) = result else { return nil }
            if case .noTemplate = error { return nil }
            return (model, error)
        }
    }

    /// Whose key the call bears.
    func authenticate(_ headers: HTTPFields) throws(HTTPFailure) -> (tenant: TenantTable.Tenant, key: String) {
        let key = try key(headers, whose: "a tenant's")
        do throws(RequestError) { return (try front.tenant(key: key), key) } catch { throw HTTPFailure(error) }
    }

    /// Lets those through who may administer.
    func authorizeAdmin(_ headers: HTTPFields) throws(HTTPFailure) {
        let key = try key(headers, whose: "the admin's")
        switch isAdminKey(key) {
        case true?: return
        case false?:
            throw HTTPFailure(
                status: 403, message: "the key is not the admin's", type: "permission_error", code: "not_permitted")
        case nil:
            throw HTTPFailure(
                status: 403, message: "nobody may administer: the cluster file has no admin key",
                type: "permission_error", code: "no_admin_key")
        }
    }

    private func key(_ headers: HTTPFields, whose owner: String) throws(HTTPFailure) -> String {
        let words = (headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw HTTPFailure(
                status: 401, message: "the call needs \(owner) key, in the header Authorization: Bearer KEY",
                type: "authentication_error", code: "invalid_api_key")
        }
        return words[1].trimmingCharacters(in: .whitespaces)
    }

    /// The whole body, within its limit.
    func body(of request: Request) async throws -> [UInt8] {
        let tooLong = HTTPFailure(
            status: 413, message: "the body has more than \(limits.bodyByteCountMax) bytes", code: "body_too_long")
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw HTTPFailure(
                status: 415, message: "Content-Encoding “\(encoding.prefix(32))” is not supported; send plain JSON",
                parameter: "Content-Encoding", code: "unsupported_encoding")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.bodyByteCountMax {
            throw tooLong
        }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= limits.bodyByteCountMax else { throw tooLong }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    /// The id that the client's own key stands for: the same key of the same tenant is the same request, which runs once.
    func idempotentID(_ headers: HTTPFields, tenant: TenantName) throws(HTTPFailure) -> HeddleCore.RequestID? {
        guard let key = headers[.idempotencyKey] else { return nil }
        guard (1...limits.identifierByteCountMax).contains(key.utf8.count) else {
            throw .invalid(
                "Idempotency-Key", "Idempotency-Key must have 1 to \(limits.identifierByteCountMax) bytes")
        }
        let digest = Array(SHA256.hash(data: Array("\(tenant) \(key)".utf8)))
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return HeddleCore.RequestID(high: word(digest[0..<8]), low: word(digest[8..<16]))
    }
}
