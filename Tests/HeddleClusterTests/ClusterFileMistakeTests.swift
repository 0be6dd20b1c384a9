import Foundation
import HeddleCluster
import HeddleCore
import Testing

/// One test for each kind of mistake: line, column, key and text.
@Suite struct ClusterFileMistakeTests {
    @Test func brokenYAML() {
        #expect(
            complaints(changing: "ranks: [worker-0, worker-1]", to: "ranks: [worker-0, worker-1")
                == ["22:11: is not YAML: did not find expected ',' or ']'"])
        #expect(complaints(about: "") == ["1:1: is empty"])
        #expect(
            complaints(about: "- a")
                == [
                    "1:1: must be a mapping with the keys cluster, runtime, models, adapters, tenants, nodes, groups, "
                        + "adapterCache, weightCache, limits, admin, insecure, traces, not a list"
                ])
    }

    @Test func unknownKey() {
        #expect(
            complaints(changing: "mesh: ipc", to: "mseh: ipc")
                == [
                    "13:5: nodes[0].mseh: no such key (did you mean “mesh”?); known here: name, host, roles, mesh, "
                        + "client, inspect, http, httpCertificate, httpKey, metrics"
                ])
    }

    @Test func gateways() {
        func http(_ keys: String) -> [String] {
            complaints(changing: "client: tcp://127.0.0.1:7400", to: "client: tcp://127.0.0.1:7400\n    \(keys)")
        }
        #expect(http("http: 127.0.0.1:8000") == [])
        #expect(http("http: \"[::1]:8000\"") == [])
        #expect(
            http("http: http://127.0.0.1:8000")
                == ["15:11: nodes[0].http: “http://127.0.0.1:8000” must be ADDRESS:PORT"])
        #expect(
            http("http: 127.0.0.1") == ["15:11: nodes[0].http: “127.0.0.1” names no port; it must be ADDRESS:PORT"])
        #expect(
            http("http: 127.0.0.1:7400")
                == ["15:11: nodes[0].http: tcp://127.0.0.1:7400 is client of node “front” already"])
        #expect(
            http("http: 10.0.0.1:8000")
                == [
                    "15:11: nodes[0].http: 10.0.0.1 is beyond loopback and plain TCP is readable by others; set "
                        + "insecure: true to allow it"
                ])
        #expect(http("http: 10.0.0.1:8000\n    httpCertificate: a.pem\n    httpKey: b.pem") == [])
        #expect(
            http("http: 127.0.0.1:8000\n    httpKey: b.pem")
                == ["16:14: nodes[0].httpCertificate: is missing: TLS needs both files"])
        #expect(
            http("httpCertificate: a.pem\n    httpKey: b.pem")
                == [
                    "15:22: nodes[0].httpCertificate: is of no use without http",
                    "16:14: nodes[0].httpKey: is of no use without http",
                ])
        #expect(
            complaints(changing: "- name: worker-0", to: "- name: worker-0\n    http: 127.0.0.1:8000").contains {
                $0.hasSuffix("only a router has an HTTP gateway")
            })
    }

    /// A router could not keep what the client socket does not carry.
    @Test func limitsBeyondTheSockets() {
        let found = complaints(
            changing: "limits: {deadline: 60s, start: 5m}",
            to:
                "limits: {promptBytes: 2MiB, choices: 17, logprobs: 21, deadline: 2h, stopStrings: 17, stopStringBytes: 257}"
        )
        let keys = ["promptBytes", "choices", "logprobs", "deadline", "stopStrings", "stopStringBytes"]
        #expect(found.count == keys.count)
        for key in keys { #expect(found.contains { $0.contains("limits.\(key)") }) }
    }

    @Test func doubledKey() {
        #expect(
            complaints(changing: "    inspect: ipc", to: "    mesh: ipc")
                == ["13:5: mesh: is written twice in the mapping that has it here"])
    }

    @Test func missingKey() {
        #expect(complaints(changing: "cluster: demo\n", to: "") == ["1:1: cluster: is missing"])
        #expect(complaints(changing: "    model: base\n", to: "").contains("19:5: groups[0].model: is missing"))
        #expect(complaints(changing: "name: sql, ", to: "") == ["6:5: adapters[0].name: is missing"])
        #expect(
            complaints(changing: "    client: tcp://127.0.0.1:7400\n", to: "")
                == ["11:11: nodes[0].client: is missing: a router needs an endpoint for its clients"])
    }

    @Test func valueOfTheWrongKind() {
        #expect(
            complaints(changing: "    roles: [router, tenant-queue, adapter-cache]", to: "    roles: router")
                .contains("12:12: nodes[0].roles: must be a list, not “router”"))
        #expect(
            complaints(changing: "name: g0", to: "name: [g0]")
                .contains("19:11: groups[0].name: must be one value, not a list"))
        #expect(complaints(changing: "cluster: demo", to: "cluster:") == ["1:9: cluster: is empty"])
        #expect(
            complaints(changing: "insecure: false", to: "insecure: no")
                == ["30:11: insecure: “no” must be true or false"])
    }

    @Test func names() {
        #expect(
            complaints(changing: "cluster: demo", to: "cluster: Demo_1")
                == ["1:10: cluster: “Demo_1” must be 1 to 64 lower-case letters, digits and “-”"])
        #expect(
            complaints(changing: "name: sql", to: "name: s/ql")
                == ["6:12: adapters[0].name: “s/ql” is no name: 1 to 128 letters, digits, “-”, “_” and “.”"])
        #expect(
            complaints(changing: "name: worker-1", to: "name: worker-0")
                .contains("17:11: nodes[2].name: a node “worker-0” is in line 16 already"))
        #expect(
            complaints(changing: "name: sql", to: "name: base")
                == ["6:12: adapters[0].name: a model or adapter “base” is in line 4 already"])
        #expect(
            complaints(changing: "name: zeta", to: "name: acme")
                == ["9:12: tenants[1].name: a tenant “acme” is in line 8 already"])
    }

    @Test func numbersAndUnits() {
        #expect(
            complaints(changing: "threads: 1", to: "threads: 0")
                == ["23:14: groups[0].threads: “0” must be a whole number from 1 to 256"])
        #expect(
            complaints(changing: "sequences: 32", to: "sequences: many")
                == ["26:16: groups[0].sequences: “many” must be a whole number from 1 to 4096"])
        #expect(
            complaints(changing: "bytes: 64MiB", to: "bytes: 64 megabytes")
                == [
                    "28:23: adapterCache.bytes: “64 megabytes” must be a size such as 262144, 256KiB, 64MiB or 2GiB"
                ])
        #expect(
            complaints(changing: "bytes: 64MiB", to: "bytes: 99999999999GiB").count == 1)
        #expect(
            complaints(changing: "deadline: 60s", to: "deadline: 60")
                == ["29:20: limits.deadline: “60” must be a duration such as 500ms, 30s, 5m or 1h"])
        #expect(
            complaints(changing: "    sequences: 32", to: "    kvBytes: 64MiB")
                == ["26:14: groups[0].kvBytes: stands beside kvTokens; give one of them"])
        #expect(
            complaints(changing: "    sequences: 32", to: "    memory: 64MiB")
                == ["26:13: groups[0].memory: stands beside kvTokens; give one of them"])
    }

    @Test func words() {
        #expect(
            complaints(changing: "weights: auto", to: "weights: bf61")
                == ["4:40: models[0].weights: “bf61” must be one of auto, bf16, f32, int8, int4 (did you mean “bf16”?)"]
        )
        #expect(
            complaints(changing: "device: cpu", to: "device: gpu")
                == ["22:13: groups[0].device: “gpu” must be cpu (did you mean “cpu”?)"])
        #expect(
            complaints(changing: "adapter-cache]", to: "adapter_cache]")
                == [
                    "12:35: nodes[0].roles[2]: “adapter_cache” must be one of router, tenant-queue, adapter-cache, "
                        + "gpu-worker (did you mean “adapter-cache”?)"
                ])
        #expect(
            complaints(changing: "[router, tenant-queue", to: "[router, router, tenant-queue")
                == ["12:21: nodes[0].roles[1]: a role “router” is in line 12 already"])
    }

    @Test func keys() {
        let key = "\"sha256:0000000000000000000000000000000000000000000000000000000000000001\""
        #expect(
            complaints(changing: key, to: "\"sha256:12\"")
                == ["9:23: tenants[1].key: must have 64 hexadecimal digits after “sha256:”"])
        #expect(
            complaints(changing: key, to: "secret")
                == [
                    "9:23: tenants[1].key: is the key itself; write its digest, "
                        + "\"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\", or use keyFile"
                ])
        #expect(
            complaints(changing: "key: \(key)", to: "keyFile: keys/none")
                == ["9:27: tenants[1].keyFile: “/somewhere/keys/none” cannot be read"])
        #expect(
            complaints(changing: "key: \(key)", to: "keyFile: k, key: \(key)")
                == ["9:27: tenants[1].keyFile: stands beside key; give one of them"])
        #expect(
            complaints(
                changing: "4e5f8f5e9b0b6d7a1f3f0c2a7d1b8a9c4e5f8f5e9b0b6d7a1f3f0c2a7d1b8a9c",
                to: "0000000000000000000000000000000000000000000000000000000000000001")
                == ["9:23: tenants[1].key: is also the key of tenant “acme”"])
    }

    @Test func references() {
        #expect(
            complaints(changing: "model: base, path: adapters/sql", to: "model: bsae, path: adapters/sql")
                == ["6:24: adapters[0].model: no model is named “bsae” (did you mean “base”?)"])
        #expect(
            complaints(changing: "tenants: [acme]", to: "tenants: [emca]")
                == ["6:60: adapters[0].tenants[0]: no tenant is named “emca”"])
        #expect(
            complaints(changing: "ranks: [worker-0, worker-1]", to: "ranks: [worker-0, worker-2]")
                == [
                    "17:11: nodes[2].name: node “worker-1” has no role and is a rank of no group",
                    "21:23: groups[0].ranks[1]: no node is named “worker-2” (did you mean “worker-0”?)",
                ])
        #expect(
            complaints(changing: "adapters:\n", to: "  - {name: other, path: model}\nadapters:\n")
                == ["5:12: models[1].name: no group serves model “other”"])
    }

    @Test func roles() {
        #expect(
            complaints(changing: "roles: [router, tenant-queue", to: "roles: [tenant-queue")
                == [
                    "11:3: nodes: no node has the role router, so nobody can submit",
                    "14:13: nodes[0].client: only a router has an endpoint for clients",
                ])
        #expect(
            complaints(changing: "router, tenant-queue, ", to: "router, ")
                == ["11:3: nodes: no node has the role tenant-queue, so nothing orders the requests"])
        #expect(
            complaints(changing: "name: worker-1", to: "name: worker-1\n    roles: [tenant-queue]")
                == ["18:13: nodes[2].roles[0]: each model has one tenant-queue, and node “front” is it"])
        #expect(
            complaints(changing: "tenant-queue, adapter-cache]", to: "tenant-queue]")
                == ["21:13: groups[0].ranks[0]: host “localhost” of node “worker-0” has no adapter-cache"])
        #expect(
            complaints(changing: "name: worker-1", to: "name: worker-1\n    roles: [adapter-cache]")
                == ["18:13: nodes[2].roles[0]: host “localhost” has an adapter-cache already: node “front”"])
        #expect(
            complaints(changing: "adapter-cache]", to: "adapter-cache, gpu-worker]")
                == ["12:50: nodes[0].roles[3]: node “front” is a rank of no group"])
    }

    @Test func groups() {
        #expect(
            complaints(changing: "ranks: [worker-0, worker-1]", to: "ranks: []")
                .contains("19:5: groups[0].ranks: a group has 1 to 8 ranks, not 0"))
        #expect(
            complaints(changing: "ranks: [worker-0, worker-1]", to: "ranks: [worker-0, worker-1, worker-0]")
                == ["21:33: groups[0].ranks[2]: node “worker-0” is a rank of group “g0” already"])
        #expect(
            complaints(
                changing: "adapterCache:", to: "  - {name: g1, model: base, ranks: [worker-1]}\nadapterCache:")
                == ["28:37: groups[1].ranks[0]: node “worker-1” is a rank of group “g0” already"])
        #expect(
            complaints(changing: "collective: auto", to: "endpoint: tcp://127.0.0.1:7404")
                == ["24:15: groups[0].endpoint: is of no use: the ranks of group “g0” share memory"])
    }

    @Test func severalHosts() {
        let text = soundCluster.replacing(
            "  - name: worker-1\n",
            with: "  - {name: worker-1, host: other, mesh: \"tcp://127.0.0.1:7403\", roles: [adapter-cache]}\n")
        #expect(
            complaints(about: text)
                == [
                    "13:11: nodes[0].mesh: nodes on several hosts need tcp://ADDRESS:PORT",
                    "16:5: nodes[1].mesh: nodes on several hosts need tcp://ADDRESS:PORT",
                    "19:11: groups[0].endpoint: is missing: ranks on several hosts need tcp://ADDRESS:PORT, bound by rank 0",
                ])
        #expect(
            complaints(about: text.replacing("collective: auto", with: "collective: shared-memory"))
                .contains(
                    "24:17: groups[0].collective: the ranks are on the hosts localhost, other, which share no memory; "
                        + "use zeromq"))
    }

    @Test func endpoints() {
        func client(_ endpoint: String) -> [String] {
            complaints(changing: "client: tcp://127.0.0.1:7400", to: "client: \(endpoint)")
        }
        #expect(
            client("udp://127.0.0.1:1")
                == ["14:13: nodes[0].client: “udp://127.0.0.1:1” must be ipc or tcp://ADDRESS:PORT"])
        #expect(
            client("tcp://127.0.0.1:70000")
                == ["14:13: nodes[0].client: the port “70000” must be a number from 1 to 65535"])
        #expect(
            client("tcp://*:7400") == ["14:13: nodes[0].client: “*” would bind every address; name one"])
        #expect(
            client("tcp://example.org:7400")
                == ["14:13: nodes[0].client: “example.org” is not a numeric address (or localhost)"])
        #expect(
            client("tcp://10.0.0.1:7400")
                == [
                    "14:13: nodes[0].client: 10.0.0.1 is beyond loopback and plain TCP is readable by others; set "
                        + "insecure: true to allow it"
                ])
        #expect(client("tcp://[::1]:7400") == [])
        #expect(client("tcp://localhost:7400") == [])
        #expect(
            complaints(changing: "inspect: ipc", to: "inspect: tcp://127.0.0.1:7400")
                == ["15:14: nodes[0].inspect: tcp://127.0.0.1:7400 is client of node “front” already"])
        let long = String(repeating: "x", count: 100)
        #expect(
            complaints(changing: "runtime: /tmp/heddle-test", to: "runtime: /tmp/\(long)").first
                == "13:11: nodes[0].mesh: its socket /tmp/\(long)/front.mesh has 116 bytes; the system takes 107: "
                + "choose a shorter runtime directory")
    }

    @Test func everyMistakeIsReportedAtOnce() {
        let text = soundCluster.replacing("threads: 1", with: "threads: x").replacing(
            "weights: auto", with: "weights: x"
        )
        .replacing("tenants: [acme]", with: "tenants: [nobody]").replacing("mesh: ipc", with: "mess: ipc")
        #expect(complaints(about: text).map { $0.split(separator: ":")[0] } == ["4", "6", "13", "23"])
    }

    @Test func filesThatAreNotThere() throws {
        let folder = NSTemporaryDirectory() + "heddle-files-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: folder + "/model/config.json"))
        let path = folder + "/demo.yaml"
        try soundCluster.write(toFile: path, atomically: true, encoding: .utf8)
        _ = try ClusterFile.load(path: path)
        let error = #expect(throws: ClusterFileError.self) { try ClusterFile.load(path: path, checkingFiles: true) }
        #expect(
            error?.complaints.map { "\($0.line):\($0.column): \($0.key): \($0.text)" } == [
                "4:24: models[0].path: “\(folder)/model” has no file *.safetensors",
                "4:24: models[0].path: “\(folder)/model” has no readable file tokenizer.json",
                "6:36: adapters[0].path: there is no folder “\(folder)/adapters/sql”",
            ])
        let none = #expect(throws: ClusterFileError.self) { try ClusterFile.load(path: folder + "/none.yaml") }
        #expect(none?.description == "\(folder)/none.yaml:1:1: cannot be opened: No such file or directory")
    }

    @Test func aFileThatIsNotTextOrTooLong() throws {
        let path = NSTemporaryDirectory() + "heddle-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data([0x63, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: path))
        #expect(
            #expect(throws: ClusterFileError.self) { try ClusterFile.load(path: path) }?.complaints.first?.text
                == "is not UTF-8")
        try Data(repeating: 0x20, count: ClusterFile.byteCountMax + 1).write(to: URL(fileURLWithPath: path))
        #expect(
            #expect(throws: ClusterFileError.self) { try ClusterFile.load(path: path) }?.complaints.first?.text
                == "is longer than 1048576 bytes")
    }

    @Test func hostileTextEndsInComplaintsOnly() {
        let bomb =
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + (0..<9).map { i in
                "k\(i): &\(Character(UnicodeScalar(98 + UInt8(i)))) ["
                    + Array(repeating: "*\(Character(UnicodeScalar(97 + UInt8(i))))", count: 9).joined(separator: ",")
                    + "]\n"
            }.joined()
        #expect(!complaints(about: bomb).isEmpty)
        #expect(!complaints(about: String(repeating: "[", count: 100_000)).isEmpty)
        #expect(!complaints(about: "models: [[[[]]]]\nnodes: {a: b}\ngroups: 3\ntenants: [1, {}]").isEmpty)
        var generator = SeededGenerator(seed: 3)
        let scalars = Array(soundCluster.unicodeScalars)
        for _ in 0..<2000 {
            var changed = scalars
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<changed.count, using: &generator)
                changed[index] =
                    [":", "[", "{", "\n", "-", "&", "*", "\"", " ", "9", "\u{0}"].randomElement(using: &generator)
                    ?? "x"
            }
            _ = complaints(about: String(String.UnicodeScalarView(changed)))
        }
    }
}

/// A generator that repeats itself: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
