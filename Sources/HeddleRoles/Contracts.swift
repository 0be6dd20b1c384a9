// Written by .ci/contracts from the symbols of the built program: the wire number of every remote method of
// HeddleRoles. Never renumber or reuse; Docs/CONTRACTS.txt shows the same.
// Retired: 7 8
import HeddleActors

/// The remote methods of HeddleRoles.
public let roleMethods: [ContractMethod] = [
    ContractMethod(index: 1, target: "$s11HeddleRoles11TenantQueueC7receive_4fromySay0A4Core0D7MessageOG_AF9RouterRefVtYaKFTE",
        signature: "HeddleRoles.TenantQueue.receive(_: [HeddleCore.QueueMessage], from: HeddleCore.RouterRef) -> ()"),
    ContractMethod(index: 2, target: "$s11HeddleRoles11TenantQueueC7receiveyySay0A4Core12GroupMessageOGYaKFTE",
        signature: "HeddleRoles.TenantQueue.receive([HeddleCore.GroupMessage]) -> ()"),
    ContractMethod(index: 3, target: "$s11HeddleRoles12AdapterCacheC10releaseAll2of4ranky0A4Core10GroupEpochV_SitYaKFTE",
        signature: "HeddleRoles.AdapterCache.releaseAll(of: HeddleCore.GroupEpoch, rank: Int) -> ()"),
    ContractMethod(index: 4, target: "$s11HeddleRoles12AdapterCacheC7acquire_5model4rank0G5Count6holder0A4Core0C9ShardFileVAI0C3RefV_AI9ModelNameVS2iAI0C4HoldVtYaKFTE",
        signature: "HeddleRoles.AdapterCache.acquire(_: HeddleCore.AdapterRef, model: HeddleCore.ModelName, rank: Int, rankCount: Int, holder: HeddleCore.AdapterHold) -> HeddleCore.AdapterShardFile"),
    ContractMethod(index: 5, target: "$s11HeddleRoles12AdapterCacheC7release_4ranky0A4Core0C4HoldV_SitYaKFTE",
        signature: "HeddleRoles.AdapterCache.release(_: HeddleCore.AdapterHold, rank: Int) -> ()"),
    ContractMethod(index: 6, target: "$s11HeddleRoles12AdapterCacheC8describe_5model0A4Core0C3RefVAF0C4NameV_AF05ModelI0VtYaKFTE",
        signature: "HeddleRoles.AdapterCache.describe(_: HeddleCore.AdapterName, model: HeddleCore.ModelName) -> HeddleCore.AdapterRef"),
    ContractMethod(index: 9, target: "$s11HeddleRoles9GPUWorkerC10mapAdapter_4into3forSi0A4Core0E3RefV_AG0E4SlotVAG10GroupEpochVtYaKFTE",
        signature: "HeddleRoles.GPUWorker.mapAdapter(_: HeddleCore.AdapterRef, into: HeddleCore.AdapterSlot, for: HeddleCore.GroupEpoch) -> Int"),
    ContractMethod(index: 10, target: "$s11HeddleRoles9GPUWorkerC11rankPresentyy0A4Core12RankPresenceVYaKFTE",
        signature: "HeddleRoles.GPUWorker.rankPresent(HeddleCore.RankPresence) -> ()"),
    ContractMethod(index: 11, target: "$s11HeddleRoles9GPUWorkerC12unmapAdapter_3fory0A4Core0E4SlotV_AF10GroupEpochVtYaKFTE",
        signature: "HeddleRoles.GPUWorker.unmapAdapter(_: HeddleCore.AdapterSlot, for: HeddleCore.GroupEpoch) -> ()"),
    ContractMethod(index: 12, target: "$s11HeddleRoles9GPUWorkerC4join_2aty0A4Core10GroupEpochV_AF17CollectiveAddressVtYaKFTE",
        signature: "HeddleRoles.GPUWorker.join(_: HeddleCore.GroupEpoch, at: HeddleCore.CollectiveAddress) -> ()"),
    ContractMethod(index: 13, target: "$s11HeddleRoles9GPUWorkerC7receive_4fromySay0A4Core13WorkerMessageOG_AF9RouterRefVtYaKFTE",
        signature: "HeddleRoles.GPUWorker.receive(_: [HeddleCore.WorkerMessage], from: HeddleCore.RouterRef) -> ()"),
    ContractMethod(index: 14, target: "$s11HeddleRoles6RouterC7receive_11fromQueueOfySay0A4Core0F6AnswerOG_AF9ModelNameVtYaKFTE",
        signature: "HeddleRoles.Router.receive(_: [HeddleCore.QueueAnswer], fromQueueOf: HeddleCore.ModelName) -> ()"),
    ContractMethod(index: 15, target: "$s11HeddleRoles6RouterC7receive_9fromGroupySay0A4Core12WorkerAnswerOG_AF0F4NameVtYaKFTE",
        signature: "HeddleRoles.Router.receive(_: [HeddleCore.WorkerAnswer], fromGroup: HeddleCore.GroupName) -> ()"),
]
