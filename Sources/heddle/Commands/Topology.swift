import Foundation
import HeddleCluster
import HeddleCore

/// What a person reads about a mesh that is up: what runs where, and how to submit to it.
struct Topology {
    let configuration: ClusterConfiguration
    /// The nodes that are started here.
    let nodes: [ClusterConfiguration.Node]

    init(_ configuration: ClusterConfiguration, host: String?) {
        self.configuration = configuration
        nodes = configuration.nodes.filter { host == nil || $0.host == host }
    }

    /// One line a node.
    func table(processes: [String: Int32]) -> [String] {
        let hasGateway = nodes.contains { $0.http != nil }
        var table = Table(["NODE", "PID", "ROLES", "MODEL", "CLIENTS"] + (hasGateway ? ["HTTP"] : []))
        for node in nodes {
            var model = "-"
            if let (group, rank) = configuration.place(of: node.name) {
                model = "\(group.model), rank \(rank) of \(group.ranks.count) in \(group.name)"
            }
            table.rows.append(
                [
                    node.name.text, processes[node.name.text].map { String($0) } ?? "-",
                    node.roles.map(\.rawValue).joined(separator: " "), model, node.client ?? "-",
                ] + (hasGateway ? [node.http?.origin ?? "-"] : []))
        }
        return table.lines
    }

    /// How long it took, where the logs are, and a line that submits.
    func closing(took: Duration, directory: RuntimeDirectory) -> String {
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        var lines = [
            "ready after \(String(format: "%.1f", seconds)) s; logs in \(directory.logs)"
        ]
        if let submit = submitLine { lines += ["", "Submit with", "  \(submit)", ""] }
        if let curl = curlLine { lines += ["or, from any program that knows OpenAI's API,", "  \(curl)", ""] }
        return lines.joined(separator: "\n")
    }

    /// The same over HTTP; nil where no gateway is here.
    var curlLine: String? {
        guard let http = nodes.lazy.compactMap(\.http).first, let (tenant, model, prompt) = sample else { return nil }
        let key = tenant.keyFile.map { "$(cat \(Self.quoted(Self.short($0))))" } ?? "KEY-OF-\(tenant.name)"
        let trust = http.tls.map { " --cacert \(Self.quoted(Self.short($0.certificateFile)))" } ?? ""
        return "curl\(trust) \(http.origin)/v1/completions -H \"Authorization: Bearer \(key)\" "
            + "-d '{\"model\": \"\(model)\", \"prompt\": \"\(prompt)\", \"max_tokens\": 64}'"
    }

    /// Who asks what, in the lines that show how.
    private var sample: (tenant: ClusterConfiguration.Tenant, model: String, prompt: String)? {
        guard let tenant = configuration.tenants.first else { return nil }
        let adapter = configuration.adapters.first { $0.isAllowed(tenant.name) }
        guard let model = adapter?.name.text ?? configuration.models.first?.name.text else { return nil }
        let isDemo = configuration.model(ModelName("demo")) != nil && model == "sql"
        return (tenant, model, isDemo ? "List the customers in Paris with more than 30 orders." : "Hello")
    }

    /// A command that a shell takes as it stands; nil where no router is here.
    var submitLine: String? {
        guard !configuration.clientEndpoints.isEmpty, let (tenant, model, prompt) = sample else { return nil }
        let key = tenant.keyFile.map { "\"$(cat \(Self.quoted(Self.short($0))))\"" } ?? "KEY-OF-\(tenant.name)"
        let program = CommandLine.arguments[0].contains("/") ? CommandLine.arguments[0] : "heddle"
        return "\(Self.quoted(program)) submit -c \(Self.quoted(Self.short(configuration.path))) --model \(model) "
            + "--key \(key) \"\(prompt)\""
    }

    /// The path from the working directory, where it lies below.
    private static func short(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x3A, 0x5F, 0x40].contains(byte)
        }
        return isPlain ? text : "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
