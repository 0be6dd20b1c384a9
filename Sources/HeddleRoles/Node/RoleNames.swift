import HeddleActors

extension RoleName {
    static let router = RoleName("router")
    static let tenantQueue = RoleName("tenant-queue")
    static let adapterCache = RoleName("adapter-cache")
    static let gpuWorker = RoleName("gpu-worker")
}

extension ActorName {
    /// The name of an actor that is the only one of its role on its node.
    static let only = ActorName("0")
}
