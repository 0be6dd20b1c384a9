/// What a router says to the tenant queue of a model. Every one may be said twice: the second changes nothing.
public enum QueueMessage: Hashable, Sendable {
    case enqueue(Ticket)
    /// The queue is new and this attempt already runs.
    case reregister(Ticket, running: GroupEpoch)
    /// Generated tokens of all choices so far, earlier attempts' included.
    case progressed(RequestID, Attempt, generatedTokenCount: Int)
    /// This and every earlier attempt no longer waits or runs, however it ended.
    case finished(RequestID, Attempt, generatedTokenCount: Int)
}

/// What a tenant queue says to the router that owns a request.
public enum QueueAnswer: Hashable, Sendable {
    case assigned(RequestID, Attempt, to: GroupEpoch)
    case rejected(RequestID, Attempt, RequestError)
    /// The attempt's group is lost.
    case gaveBack(RequestID, Attempt, lost: GroupEpoch)
}

/// What a worker group's rank 0 says to the tenant queue of its model.
public enum GroupMessage: Hashable, Sendable {
    /// The group takes requests of the model; rank 0's process has this incarnation.
    case up(GroupEpoch, GroupCapacity, ModelName, Incarnation)
    case lost(GroupEpoch)
}

/// What a router, or the tenant queue in its place, says to a worker group's rank 0.
public enum WorkerMessage: Hashable, Sendable {
    case run(Assignment, on: GroupEpoch)
    /// All choices of this and every earlier attempt, or only one choice.
    case cancel(RequestID, Attempt, choice: Int?, on: GroupEpoch)
}

/// What a worker group's rank 0 says to the router that owns a request.
public enum WorkerAnswer: Hashable, Sendable {
    case delivered(Delivery)
    /// The attempt has ended without its tokens.
    case failed(RequestID, Attempt, RequestError, on: GroupEpoch)
    /// The assignment was not taken: the group is full, or no longer in the epoch that it names.
    case refused(RequestID, Attempt)
}

/// Where one rank finds its shard of an adapter, as its host's adapter cache answers.
public struct AdapterShardFile: Hashable, Sendable {
    public var adapter: AdapterRef
    /// A packed file on the host; it stays mapped by whoever opened it, also after the cache has evicted it.
    public var path: String
    public var byteCount: Int

    public init(adapter: AdapterRef, path: String, byteCount: Int) {
        self.adapter = adapter
        self.path = path
        self.byteCount = byteCount
    }
}

/// How the ranks of a group find each other's collective in one epoch.
public struct CollectiveAddress: Hashable, Sendable {
    /// `shared-memory` or `zeromq`.
    public var kind: Kind
    /// A name of shared memory, or an endpoint of rank 0.
    public var address: String

    public enum Kind: UInt8, Hashable, Sendable {
        case sharedMemory = 1
        case zeroMQ = 2
    }

    public init(kind: Kind, address: String) {
        self.kind = kind
        self.address = address
    }
}
