import HTTPTypes
import Hummingbird

/// `/livez`, `/readyz` and `/health`, for those who start and balance nodes; they need no key and name no tenant.
struct HealthRoutes: Sendable {
    let core: GatewayCore

    func add(to router: GatewayRouter) {
        router.get("/livez") { _, _ in Self.response("ok\n", isGood: true) }
        router.get("/health") { _, _ in
            let isReady = isReady
            return Self.response(isReady ? "" : "not ready\n", isGood: isReady)
        }
        router.get("/readyz") { request, _ in
            let isReady = isReady
            guard request.uri.queryParameters.contains(where: { $0.key == "verbose" }) else {
                return Self.response(isReady ? "ok\n" : "not ready\n", isGood: isReady)
            }
            return Self.response(report + "readyz check \(isReady ? "passed" : "failed")\n", isGood: isReady)
        }
    }

    private var isReady: Bool { !core.calls.isDraining && core.front.conditions().allSatisfy(\.isMet) }

    /// A line for each condition, as Kubernetes' own servers write it.
    private var report: String {
        let lines = core.front.conditions().map { condition in
            "[\(condition.isMet ? "+" : "-")]\(condition.name) \(condition.isMet ? "ok" : "failed"): \(condition.reason)\n"
        }
        return lines.joined() + (core.calls.isDraining ? "[-]gateway failed: the node ends\n" : "[+]gateway ok\n")
    }

    private static func response(_ text: String, isGood: Bool) -> Response {
        Response(
            status: isGood ? .ok : .serviceUnavailable, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
