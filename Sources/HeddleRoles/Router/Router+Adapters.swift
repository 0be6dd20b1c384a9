import HeddleActors
import HeddleCore

/// Which adapters of the cluster file a router offers: all of them, unless somebody who may took one back.
extension Router {
    /// Offers an adapter, again or with its files as they are now.
    ///
    /// - Throws: `RequestError` where nothing bears the name or the files cannot be used, `RemoteCallError` where the
    ///   adapter-cache is away.
    func offer(_ adapter: AdapterName) async throws {
        guard let named = place.adapters.first(where: { $0.name == adapter }) else {
            throw RequestError.unknownAdapter(adapter.text)
        }
        let cache = try AdapterCache.resolve(id: place.cache, using: actorSystem)
        let reference = try await withDeadline(place.descriptionPatience) {
            try await cache.describe(adapter, model: named.model)
        }
        withdrawn.remove(adapter)
        admission.catalogue.set(ModelCatalogue.Adapter(reference: reference, model: named.model))
        described[adapter] = now()
        log.info("adapter \(adapter) is offered, digest \(reference.digest.short)")
    }

    /// Takes an adapter back: requests that run keep it, new ones are refused.
    func withdraw(_ adapter: AdapterName) throws(RequestError) {
        guard let named = place.adapters.first(where: { $0.name == adapter }), !withdrawn.contains(adapter) else {
            throw .unknownAdapter(adapter.text)
        }
        withdrawn.insert(adapter)
        described[adapter] = nil
        admission.catalogue.removeAdapter(adapter, model: named.model)
        log.info("adapter \(adapter) is not offered any more")
    }
}
