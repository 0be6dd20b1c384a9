import HeddleCore
import Testing

@Suite struct MetricRegistryTests {
    @Test func numbersAreWrittenAsPrometheusReadsThem() {
        var registry = MetricRegistry()
        registry.add(.requestsRefused, ["a\"\\\nb", "busy"], 2)
        registry.add(.requestsRefused, ["a\"\\\nb", "busy"])
        registry.set(.vllmCache, ["demo"], 0.25)
        let text = registry.text()
        #expect(text.contains("# TYPE heddle_requests_refused_total counter\n"))
        #expect(text.contains(#"heddle_requests_refused_total{tenant="a\"\\\nb",code="busy"} 3"# + "\n"))
        #expect(text.contains("vllm:kv_cache_usage_perc{model_name=\"demo\"} 0.25\n"))
        #expect(text.contains("heddle_metric_series_dropped_total 0\n"))
    }

    @Test func bucketsAreCumulated() {
        var registry = MetricRegistry()
        for seconds in [0.0005, 0.002, 0.002, 1000] {
            registry.observe(.requestQueue, ["a"], .microseconds(Int(seconds * 1e6)))
        }
        let text = registry.text()
        #expect(text.contains("heddle_request_queue_seconds_bucket{tenant=\"a\",le=\"0.001\"} 1\n"))
        #expect(text.contains("heddle_request_queue_seconds_bucket{tenant=\"a\",le=\"0.0025\"} 3\n"))
        #expect(text.contains("heddle_request_queue_seconds_bucket{tenant=\"a\",le=\"600\"} 3\n"))
        #expect(text.contains("heddle_request_queue_seconds_bucket{tenant=\"a\",le=\"+Inf\"} 4\n"))
        #expect(text.contains("heddle_request_queue_seconds_count{tenant=\"a\"} 4\n"))
    }

    @Test func tenantsBeyondTheRoomShareOneSeries() {
        var registry = MetricRegistry(seriesCountMax: 3)
        for number in 0..<10 { registry.add(.requestsEnded, ["t\(number)", "finished"]) }
        registry.add(.requestsEnded, ["t1", "finished"])
        #expect(registry.value(.requestsEnded, ["t1", "finished"]) == 2)
        #expect(registry.value(.requestsEnded, ["other", "other"]) == 7)
        #expect(registry.text().contains("heddle_metric_series_dropped_total 7\n"))
    }

    @Test func runningAdaptersAreExactlyOneSeries() throws {
        var (registry, meters) = (MetricRegistry(), WorkerMeters())
        meters.admitted(promptTokenCount: 3)
        meters.delivered(1, finish: nil, admitted: at(0), last: nil, now: at(4))
        meters.delivered(1, finish: .length, admitted: at(0), last: at(4), now: at(6))
        var scheduler = BatchScheduler(limits: try BatchLimits())
        for number in 1...3 {
            _ = scheduler.admit(sequence(UInt64(number), adapter: adapter(UInt8(number))), now: at(0))
            meters.write(
                to: &registry, model: ModelName("demo"), report: scheduler.report(), group: GroupName("g0"), rank: 0,
                adapterSlotCount: 8, time: 1.5)
        }
        let lines = registry.text().split(separator: "\n").filter { $0.hasPrefix("vllm:lora_requests_info{") }
        #expect(
            lines == [
                #"vllm:lora_requests_info{max_lora="8",running_lora_adapters="",waiting_lora_adapters="adapter-1,adapter-2,adapter-3"} 1.5"#
            ])
        #expect(registry.text().contains("vllm:time_to_first_token_seconds_sum{model_name=\"demo\"} 0.004\n"))
        #expect(registry.text().contains("vllm:inter_token_latency_seconds_sum{model_name=\"demo\"} 0.002\n"))
        #expect(
            registry.text().contains("vllm:request_success_total{model_name=\"demo\",finished_reason=\"length\"} 1\n"))
    }
}
