import HTTPTypes
import HeddleCore
import HeddleRoles
import Hummingbird

/// `/v1/models`: what a tenant may ask for. An adapter is a model whose parent is its base model.
struct ModelRoutes: Sendable {
    let core: GatewayCore

    func add(to router: GatewayRouter) {
        router.get("/v1/models") { request, _ in
            let (tenant, _) = try core.authenticate(request.headers)
            let cards = await cards(for: tenant)
            var text = JSONText()
            text.object { text in
                text.member("object", "list")
                text.member("data", array: cards) { text, card in text.object { write(card, to: &$0) } }
            }
            return Self.response(text)
        }
        router.get("/v1/models/{model}") { request, context in
            let (tenant, _) = try core.authenticate(request.headers)
            let name = context.parameters.get("model") ?? ""
            guard let card = await cards(for: tenant).first(where: { $0.names.contains(name) }) else {
                throw HTTPFailure(.unknownModel(String(name.prefix(257))))
            }
            var text = JSONText()
            text.object { write(card, to: &$0) }
            return Self.response(text)
        }
    }

    private struct Card {
        let id: String
        /// The base model's.
        let model: RouterFront.Model
        let isAdapter: Bool

        /// What it may be asked for by.
        var names: [String] { isAdapter ? [id, "\(model.name):\(id)"] : [id] }
    }

    private func cards(for tenant: TenantTable.Tenant) async -> [Card] {
        let models = core.front.models.filter { tenant.permission.allows($0.name, adapter: nil) }.map { model in
            Card(id: model.name.text, model: model, isAdapter: false)
        }
        let adapters = await core.front.offeredAdapters().compactMap { adapter -> Card? in
            guard tenant.permission.allows(adapter.model, adapter: adapter.name),
                let model = core.front.models.first(where: { $0.name == adapter.model })
            else { return nil }
            return Card(id: adapter.name.text, model: model, isAdapter: true)
        }
        return models + adapters
    }

    private func write(_ card: Card, to text: inout JSONText) {
        text.member("id", card.id)
        text.member("object", "model")
        text.member("created", core.created)
        text.member("owned_by", "heddle")
        text.member("root", card.model.name.text)
        text.member("parent", card.isAdapter ? card.model.name.text : nil)
        text.member("max_model_len", card.model.sequenceTokenCountMax)
    }

    private static func response(_ text: JSONText) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: text.bytes)))
    }
}
