import ArgumentParser
import HeddleEngine
import HeddleFiles

/// `heddle model`: what a model folder holds, and its packed weights.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Look into model folders and pack their weights.",
        subcommands: [Show.self, Pack.self])

    /// `heddle model show`: its architecture, its size in memory, and every reason why it would be refused.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show what a model folder holds, how much memory it takes, and what of it is refused.",
            discussion: """
                Reads config.json, generation_config.json and the headers of the safetensors files, not the weights. Packed files
                are known of a model that was packed or served from this folder before. Exits with 2 where the model would be
                refused, with 1 where there is no such folder.

                EXAMPLES
                  heddle model show Cluster/demo/model
                  heddle model show --json ~/models/Qwen2.5-7B-Instruct
                """)

        @Argument(help: "The folder, as Hugging Face lays it out.")
        var folder: String

        @OptionGroup var cache: WeightCacheOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let refusals = ModelFolder.refusals(path: folder)
            if case .file(.missing) = refusals.first {
                throw CommandFailure("\(refusals[0])", exit: .notFound)
            }
            var model: ModelFolder?
            if refusals.isEmpty { model = try ModelFolder(path: folder) }
            var reasons = refusals.map { "\($0)" }
            if let shape = model.flatMap({ PackedShard.refusal(of: $0.configuration) }) {
                reasons.append("\(shape)")
                model = nil
            }
            let report = ModelReport(
                folder: folder, model: model,
                packedFiles: model.map { PackedFileListing.files(of: $0, in: cache.found) } ?? [],
                refusals: reasons)
            Terminal.print(json ? try Terminal.json(report) : report.text)
            if !reasons.isEmpty { throw ExitCode.degraded }
        }
    }
}
