import HeddleCluster
import Testing

/// A whole cluster file that is right, as lines, so that a test changes one and knows where it stands.
let soundCluster = """
    cluster: demo
    runtime: /tmp/heddle-test
    models:
      - {name: base, path: model, weights: auto}
    adapters:
      - {name: sql, model: base, path: adapters/sql, tenants: [acme]}
    tenants:
      - {name: acme, key: "sha256:4e5f8f5e9b0b6d7a1f3f0c2a7d1b8a9c4e5f8f5e9b0b6d7a1f3f0c2a7d1b8a9c"}
      - {name: zeta, key: "sha256:0000000000000000000000000000000000000000000000000000000000000001"}
    nodes:
      - name: front
        roles: [router, tenant-queue, adapter-cache]
        mesh: ipc
        client: tcp://127.0.0.1:7400
        inspect: ipc
      - name: worker-0
      - name: worker-1
    groups:
      - name: g0
        model: base
        ranks: [worker-0, worker-1]
        device: cpu
        threads: 1
        collective: auto
        kvTokens: 1024
        sequences: 32
        stepTokens: 256
    adapterCache: {bytes: 64MiB}
    limits: {deadline: 60s, start: 5m}
    insecure: false
    """

func parse(_ text: String) throws(ClusterFileError) -> ClusterConfiguration {
    try ClusterFile.parse(text, path: "/somewhere/demo.yaml")
}

/// The complaints about the sound file after one change, without the file's name.
func complaints(changing old: String, to new: String, sourceLocation: SourceLocation = #_sourceLocation) -> [String] {
    #expect(soundCluster.contains(old), sourceLocation: sourceLocation)
    return complaints(about: soundCluster.replacing(old, with: new, maxReplacements: 1))
}

func complaints(about text: String) -> [String] {
    do throws(ClusterFileError) {
        _ = try parse(text)
        return []
    } catch {
        return error.complaints.map { String($0.description.dropFirst("/somewhere/demo.yaml:".count)) }
    }
}
