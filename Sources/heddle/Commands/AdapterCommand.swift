import ArgumentParser
import HeddleFiles

/// `heddle adapter`: what an adapter's folder holds.
struct AdapterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adapter", abstract: "Look at adapters.", subcommands: [Show.self])

    /// `heddle adapter show`: settings, modules with rank and scale, and what would be refused.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show an adapter's settings, its modules with rank, alpha and scale, and what would be refused.",
            discussion: """
                Reads a folder with adapter_config.json and adapter_model.safetensors as PEFT writes them. With --model-dir it also
                says whether the adapter fits that base model. Names of modules that differ in nothing but their layer share a line.

                EXAMPLES
                  heddle adapter show adapters/sql
                  heddle adapter show adapters/sql --model-dir models/llama
                  heddle adapter show adapters/sql --json

                Exit codes: 0 it can be served, 1 there is no such folder or file, 2 it would be refused.
                """)

        @Argument(help: "A folder with adapter_config.json and adapter_model.safetensors.")
        var folder: String

        @Option(help: ArgumentHelp("The base model's folder.", valueName: "folder"))
        var modelDir: String?

        @Flag(help: "Print one JSON object: settings, modules, bytes, digest, refusals, fits.")
        var json = false

        func run() throws {
            let model: ModelFolder?
            do { model = try modelDir.map { try ModelFolder(path: $0) } } catch {
                if case .file(.missing) = error as? ModelFileError {
                    throw CommandFailure("\(error)", exit: .notFound)
                }
                throw error
            }
            let listing: AdapterListing
            do throws(AdapterFileError) { listing = try AdapterListing(path: folder, model: model) } catch {
                if case .file(.missing) = error { throw CommandFailure("\(error)", exit: .notFound) }
                throw CommandFailure("\(error)")
            }
            if json {
                Terminal.print(try Terminal.json(Answer(listing, isCompared: model != nil)))
            } else {
                for line in lines(listing) { Terminal.print(line) }
            }
            if !listing.refusals.isEmpty { throw ExitCode.degraded }
        }

        private func lines(_ listing: AdapterListing) -> [String] {
            var lines = ["adapter     \(listing.path)", "digest      \(listing.digest)"]
            lines.append("bytes       \(listing.byteCount) in \(listing.modules.count) modules")
            lines.append("trained on  \(listing.baseName ?? "not said")")
            for (field, value) in listing.settings { lines.append("\(field) = \(value)") }
            if !listing.modules.isEmpty {
                var table = Table(["MODULE", "LAYERS", "RANK", "ALPHA", "SCALE", "A", "B", "TYPE", "BYTES"])
                table.rows = ModuleRow.rows(of: listing.modules).map(\.cells)
                lines += [""] + table.lines
            }
            lines.append("")
            if listing.refusals.isEmpty {
                lines.append(
                    modelDir.map { "fits \($0)" } ?? "nothing is refused; --model-dir says whether it fits a base model"
                )
            }
            lines += listing.refusals.map { "refused: \($0)" }
            return lines
        }
    }
}

/// Modules that differ in nothing but their layer.
private struct ModuleRow {
    private(set) var module: AdapterListing.Module
    private let shortName: String
    private var layers: [Int] = []
    private var byteCount = 0

    private init(_ module: AdapterListing.Module) {
        self.module = module
        var parts = module.name.split(separator: ".").map(String.init)
        if let index = parts.firstIndex(where: { Int($0) != nil }) {
            layers = [Int(parts[index]) ?? 0]
            parts[index] = "*"
        }
        shortName = parts.joined(separator: ".")
        byteCount = module.byteCount
    }

    /// In the order in which the first of each appears.
    static func rows(of modules: [AdapterListing.Module]) -> [ModuleRow] {
        var rows: [ModuleRow] = []
        var places: [[String]: Int] = [:]
        for module in modules {
            let row = ModuleRow(module)
            if let place = places[row.key] {
                rows[place].layers += row.layers
                rows[place].byteCount += row.byteCount
            } else {
                places[row.key] = rows.count
                rows.append(row)
            }
        }
        return rows
    }

    private var key: [String] { [shortName] + values }

    private var values: [String] {
        func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }
        return [
            String(module.rank), module.alpha.map { Self.text($0) } ?? "?", module.scale.map { "\($0)" } ?? "?",
            text(module.shapeA), text(module.shapeB), module.elementType.rawValue,
        ]
    }

    var cells: [String] { [shortName, Self.ranges(of: layers.sorted())] + values + [String(byteCount)] }

    /// "16" rather than "16.0".
    private static func text(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }

    /// "0-3,7"
    private static func ranges(of layers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for layer in layers {
            if let last = ranges.last, last.upperBound + 1 == layer {
                ranges[ranges.count - 1] = last.lowerBound...layer
            } else {
                ranges.append(layer...layer)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}

/// The form for programs.
private struct Answer: Encodable {
    var path: String
    var digest: String
    var bytes: Int
    var baseModelNameOrPath: String?
    var settings: [String: String]
    var modules: [Module]
    var refusals: [String]
    /// Whether it can be served over the model of --model-dir; missing without one.
    var fits: Bool?

    struct Module: Encodable {
        var name: String
        var rank: Int
        var alpha: Double?
        var scale: Float?
        var shapeA: [Int]
        var shapeB: [Int]
        var type: String
        var bytes: Int
    }

    init(_ listing: AdapterListing, isCompared: Bool) {
        path = listing.path
        digest = listing.digest.description
        bytes = listing.byteCount
        baseModelNameOrPath = listing.baseName
        settings = Dictionary(listing.settings.map { ($0.field, $0.value) }) { first, _ in first }
        modules = listing.modules.map {
            Module(
                name: $0.name, rank: $0.rank, alpha: $0.alpha, scale: $0.scale, shapeA: $0.shapeA, shapeB: $0.shapeB,
                type: $0.elementType.rawValue, bytes: $0.byteCount)
        }
        refusals = listing.refusals
        fits = isCompared ? listing.refusals.isEmpty : nil
    }
}
