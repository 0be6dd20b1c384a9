import Foundation
import HTTPTypes
import HeddleCore
import HeddleFiles
import HeddleRoles
import Hummingbird

/// `/v1/load_lora_adapter` and `/v1/unload_lora_adapter` in vLLM's form: which adapters of the cluster file this router offers.
///
/// A name never becomes a path: what may be loaded lies where the cluster file says.
struct AdapterRoutes: Sendable {
    let core: GatewayCore

    func add(to router: GatewayRouter) {
        router.post("/v1/load_lora_adapter") { request, _ in
            try core.authorizeAdmin(request.headers)
            let loading = try AdapterLoading(body: try await core.body(of: request), limits: core.limits)
            try await load(loading)
            return Self.done("Success: LoRA adapter '\(loading.name)' added successfully.")
        }
        router.post("/v1/unload_lora_adapter") { request, _ in
            try core.authorizeAdmin(request.headers)
            let name = try AdapterLoading.unloaded(body: try await core.body(of: request), limits: core.limits)
            guard AdapterName.isValid(name) else { throw Self.unknown(name) }
            do {
                try await core.front.withdraw(AdapterName(name))
            } catch RequestError.unknownAdapter {
                throw Self.unknown(name)
            }
            return Self.done("Success: LoRA adapter '\(name)' removed successfully.")
        }
    }

    private func load(_ loading: AdapterLoading) async throws {
        guard let adapter = core.front.adapters.first(where: { $0.name.text == loading.name }) else {
            throw Self.unknown(loading.name)
        }
        if let path = loading.path, Self.resolved(path) != Self.resolved(adapter.folder) {
            throw HTTPFailure.invalid(
                "lora_path", "lora_path must be the folder that the cluster file gives adapter “\(adapter.name)”")
        }
        if let model = loading.model, model != adapter.model.text {
            throw HTTPFailure.invalid(
                "base_model_name", "adapter “\(adapter.name)” belongs to “\(adapter.model)”, not “\(model.prefix(128))”"
            )
        }
        if !loading.isInPlace, await core.front.offeredAdapters().contains(where: { $0.name == adapter.name }) {
            throw HTTPFailure(
                status: 400, message: "adapter “\(adapter.name)” is loaded; load_inplace reads its files again",
                parameter: "lora_name", code: "adapter_already_loaded")
        }
        try await core.front.offer(adapter.name)
    }

    private static func unknown(_ name: String) -> HTTPFailure {
        HTTPFailure(
            status: 404, message: "no adapter that could be meant is named “\(name.prefix(128))”",
            parameter: "lora_name",
            code: "adapter_not_found")
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }

    private static func done(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
