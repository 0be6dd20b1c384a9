/// Every number that a node tells its monitoring: name, kind, labels and meaning, in one table that the documentation and
/// the dashboards are held to.
public enum Metric: String, CaseIterable, Hashable, Sendable {
    // The process.
    case nodeInformation = "heddle_node_info"
    case nodeUptime = "heddle_node_uptime_seconds"
    case nodeDegraded = "heddle_node_degraded"
    case processorTime = "heddle_process_cpu_seconds_total"
    case residentBytes = "heddle_process_resident_memory_bytes"
    case peersConnected = "heddle_peer_connected"
    case events = "heddle_events_total"
    // Actors.
    case actorMailbox = "heddle_actor_mailbox_depth"
    case actorOldest = "heddle_actor_oldest_waiting_seconds"
    case actorCallsInFlight = "heddle_actor_calls_in_flight"
    case actorCalls = "heddle_actor_calls_total"
    case actorErrors = "heddle_actor_call_errors_total"
    case actorStuck = "heddle_actor_stuck"
    // Requests, at routers.
    case requestsOpen = "heddle_requests_open"
    case requestsEnded = "heddle_requests_total"
    case requestsRefused = "heddle_requests_refused_total"
    case requestsReplayed = "heddle_requests_replayed_total"
    case requestPromptTokens = "heddle_request_prompt_tokens_total"
    case requestGeneratedTokens = "heddle_request_generated_tokens_total"
    case requestFirstToken = "heddle_request_first_token_seconds"
    case requestDuration = "heddle_request_duration_seconds"
    case requestQueue = "heddle_request_queue_seconds"
    // Tenants, at the tenant-queue.
    case tenantWaiting = "heddle_tenant_waiting"
    case tenantRunning = "heddle_tenant_running"
    // Adapters.
    case adapterState = "heddle_adapter_resident"
    case adapterBytes = "heddle_adapter_bytes"
    // Workers.
    case workerRunning = "heddle_worker_running"
    case workerWaiting = "heddle_worker_waiting"
    case workerBlocks = "heddle_worker_kv_blocks"
    case workerBlocksUsed = "heddle_worker_kv_blocks_used"
    case workerEpoch = "heddle_worker_epoch"
    case workerUp = "heddle_worker_up"
    case stepDuration = "heddle_step_seconds"
    case preemptions = "heddle_preemptions_total"
    case seriesDropped = "heddle_metric_series_dropped_total"
    case spansDropped = "heddle_trace_spans_dropped_total"
    // As vLLM names them, on rank 0 of a group.
    case vllmRunning = "vllm:num_requests_running"
    case vllmWaiting = "vllm:num_requests_waiting"
    case vllmCache = "vllm:kv_cache_usage_perc"
    case vllmFirstToken = "vllm:time_to_first_token_seconds"
    case vllmBetweenTokens = "vllm:inter_token_latency_seconds"
    case vllmDuration = "vllm:e2e_request_latency_seconds"
    case vllmPromptTokens = "vllm:prompt_tokens_total"
    case vllmGeneratedTokens = "vllm:generation_tokens_total"
    case vllmSuccess = "vllm:request_success_total"
    case vllmAdapters = "vllm:lora_requests_info"
    case vllmPreemptions = "vllm:num_preemptions_total"

    /// What Prometheus is told about the kind.
    public enum Kind: String, Hashable, Sendable {
        case counter, gauge, histogram
    }

    public var kind: Kind {
        switch self {
        case .requestFirstToken, .requestDuration, .requestQueue, .stepDuration, .vllmFirstToken, .vllmBetweenTokens,
            .vllmDuration:
            .histogram
        default: rawValue.hasSuffix("_total") ? .counter : .gauge
        }
    }

    /// Buckets of a histogram; empty for the others.
    public var bounds: [Double] {
        switch self {
        case .stepDuration, .vllmBetweenTokens: MetricHistogram.stepBounds
        default: kind == .histogram ? MetricHistogram.requestBounds : []
        }
    }

    /// Names of its labels, in the order in which their values are given.
    public var labels: [String] {
        switch self {
        case .nodeInformation: ["node", "version", "incarnation", "roles"]
        case .nodeUptime, .nodeDegraded, .processorTime, .residentBytes, .seriesDropped, .spansDropped: []
        case .peersConnected: ["peer"]
        case .events: ["kind"]
        case .actorMailbox, .actorOldest, .actorCallsInFlight, .actorStuck: ["actor"]
        case .actorCalls, .actorErrors: ["actor", "method"]
        case .requestsOpen: ["state"]
        case .requestsEnded: ["tenant", "outcome"]
        case .requestsRefused: ["tenant", "code"]
        case .requestsReplayed: []
        case .requestPromptTokens, .requestGeneratedTokens: ["tenant", "model"]
        case .requestFirstToken, .requestDuration, .requestQueue: ["tenant"]
        case .tenantWaiting, .tenantRunning: ["tenant"]
        case .adapterState, .adapterBytes: ["adapter"]
        case .workerRunning, .workerWaiting, .workerBlocks, .workerBlocksUsed, .workerEpoch, .workerUp, .stepDuration,
            .preemptions:
            ["group", "rank"]
        case .vllmRunning, .vllmWaiting, .vllmCache, .vllmFirstToken, .vllmBetweenTokens, .vllmDuration,
            .vllmPromptTokens,
            .vllmGeneratedTokens, .vllmPreemptions:
            ["model_name"]
        case .vllmSuccess: ["model_name", "finished_reason"]
        case .vllmAdapters: ["max_lora", "running_lora_adapters", "waiting_lora_adapters"]
        }
    }

    /// One sentence.
    public var help: String {
        switch self {
        case .nodeInformation: "Which start of which node this is; always 1."
        case .nodeUptime: "Seconds since the process started."
        case .nodeDegraded: "1 while an actor of the node does not answer."
        case .processorTime: "Processor seconds used, all threads together."
        case .residentBytes: "Memory of the process that is resident."
        case .peersConnected: "1 while the other node is connected to this one."
        case .events: "Events of each kind since the start."
        case .actorMailbox: "Calls that wait for the actor."
        case .actorOldest: "Age of the oldest call that waits for the actor."
        case .actorCallsInFlight: "Calls that the actor has begun and not ended."
        case .actorCalls: "Calls that ended."
        case .actorErrors: "Calls that ended with an error."
        case .actorStuck: "1 while a piece of the actor's work takes longer than five seconds."
        case .requestsOpen: "Requests that this router owns and has not ended."
        case .requestsEnded: "Requests that came to their terminal event."
        case .requestsRefused: "Submissions that were not taken in."
        case .requestsReplayed: "Attempts beyond a request's first: failovers and refused assignments."
        case .requestPromptTokens: "Prompt tokens of ended requests."
        case .requestGeneratedTokens: "Generated tokens of ended requests."
        case .requestFirstToken: "From submission to the first token at the router."
        case .requestDuration: "From submission to the terminal event."
        case .requestQueue: "From acceptance to the first assignment."
        case .tenantWaiting: "Tickets in the tenant's lane."
        case .tenantRunning: "Requests of the tenant that are assigned to a group."
        case .adapterState: "1 while the adapter is packed in this host's cache."
        case .adapterBytes: "Packed size of the adapter in this host's cache."
        case .workerRunning: "Sequences in the batch."
        case .workerWaiting: "Sequences that wait for room in the batch."
        case .workerBlocks: "KV blocks of the rank."
        case .workerBlocksUsed: "KV blocks that sequences hold."
        case .workerEpoch: "Epoch of the group that the rank is in; 0 while it is in none."
        case .workerUp: "1 while the rank is in its group."
        case .stepDuration: "Duration of a step, at rank 0."
        case .preemptions: "Sequences whose blocks were taken, at rank 0."
        case .seriesDropped: "Updates that went to a family's overflow series because it had no room for another."
        case .spansDropped: "Spans that were not exported because the receiver is away or slow."
        case .vllmRunning: "Sequences in the batch."
        case .vllmWaiting: "Sequences that wait for room in the batch."
        case .vllmCache: "Share of the KV blocks in use, 0 to 1."
        case .vllmFirstToken: "From a sequence's arrival at the group to its first token."
        case .vllmBetweenTokens: "Between two tokens of a sequence."
        case .vllmDuration: "From a sequence's arrival at the group to its last token."
        case .vllmPromptTokens: "Prompt tokens that were taken in."
        case .vllmGeneratedTokens: "Tokens that were generated."
        case .vllmSuccess: "Sequences that came to their end, by reason."
        case .vllmAdapters: "Adapters that run and wait; the value is when this was so."
        case .vllmPreemptions: "Sequences whose blocks were taken."
        }
    }
}
