import Distributed
import HeddleCore
import HeddleTransport
import HeddleWire

/// The actor that `heddle bench calls` calls: gives back what it gets.
public distributed actor BenchEcho {
    public typealias ActorSystem = MeshActorSystem
    public nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }

    init(actorSystem: MeshActorSystem) { self.actorSystem = actorSystem }

    distributed func echo(_ bytes: [UInt8]) -> [UInt8] { bytes }
}
