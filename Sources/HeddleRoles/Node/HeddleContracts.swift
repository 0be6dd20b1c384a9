import HeddleActors

/// Every remote method of the mesh and every error that crosses it as itself; both ends of a connection compare its digest.
///
/// What is called for every request or step is served by a closure that knows its types; the rest by the runtime's look-up.
public let heddleContracts = ContractTable(
    roleMethods,
    serving: [
        ContractServing("Router.receive(_:fromQueueOf:)", on: Router.self) { router, arguments in
            try await router.receive(arguments.decodeNextArgument(), fromQueueOf: arguments.decodeNextArgument())
            return []
        },
        ContractServing("Router.receive(_:fromGroup:)", on: Router.self) { router, arguments in
            try await router.receive(arguments.decodeNextArgument(), fromGroup: arguments.decodeNextArgument())
            return []
        },
        ContractServing("TenantQueue.receive(_:from:)", on: TenantQueue.self) { queue, arguments in
            try await queue.receive(arguments.decodeNextArgument(), from: arguments.decodeNextArgument())
            return []
        },
        ContractServing("GPUWorker.receive(_:from:)", on: GPUWorker.self) { worker, arguments in
            try await worker.receive(arguments.decodeNextArgument(), from: arguments.decodeNextArgument())
            return []
        },
    ])
