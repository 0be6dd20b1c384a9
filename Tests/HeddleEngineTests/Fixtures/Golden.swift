import Foundation
import HeddleCore
import HeddleEngine
import HeddleFiles

/// One golden folder: a small model, its adapters, and what `transformers` and `peft` computed for it.
struct Golden {
    /// One prompt through one adapter, or none.
    struct Sequence: Decodable {
        var adapter: String?
        var prompt: [TokenID]
        var tokens: [TokenID]
        var rows: Int
        var greedy_margin: Double
        var bf16_deviation: Double
        var f32_deviation: Double
        /// The prompt and every greedy token.
        var fed: [TokenID] { prompt + tokens }
    }

    private struct Notes: Decodable {
        var vocabulary: Int
        var sequences: [Sequence]
    }

    /// Every folder beside the script, in order of names.
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().filter {
        FileManager.default.fileExists(atPath: "\(folder)/\($0)/golden.json")
    }

    /// One golden of each architecture: the last by name.
    static let ofEachArchitecture: [String] = {
        var last: [Architecture: String] = [:]
        for name in names {
            if let golden = try? Golden(name) { last[golden.model.configuration.architecture] = name }
        }
        return last.values.sorted()
    }()

    let name: String
    let model: ModelFolder
    let vocabularyCount: Int
    let sequences: [Sequence]
    /// For each sequence its rows of reference logits, one after another.
    let logits: [[Float]]
    let adapters: [String: AdapterFolder]

    static var folder: String { Bundle.module.bundlePath + "/Goldens" }

    init(_ name: String) throws {
        self.name = name
        let folder = "\(Self.folder)/\(name)"
        model = try ModelFolder(path: folder + "/model")
        let notes = try JSONDecoder().decode(Notes.self, from: Data(contentsOf: URL(filePath: folder + "/golden.json")))
        vocabularyCount = notes.vocabulary
        sequences = notes.sequences
        let bytes = try Data(contentsOf: URL(filePath: folder + "/logits.f32"))
        let floats = bytes.withUnsafeBytes { raw in
            (0..<(raw.count / 4)).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
        }
        var logits: [[Float]] = []
        var first = 0
        for sequence in notes.sequences {
            logits.append(Array(floats[first..<(first + sequence.rows * notes.vocabulary)]))
            first += sequence.rows * notes.vocabulary
        }
        self.logits = logits
        var adapters: [String: AdapterFolder] = [:]
        for name in notes.sequences.compactMap(\.adapter) {
            adapters[name] = try AdapterFolder(path: "\(folder)/adapters/\(name)", model: model)
        }
        self.adapters = adapters
    }

    /// A sequence as the driver feeds it.
    func feed(_ sequence: Int, number: Int? = nil) -> Driver.Feed {
        Driver.Feed(
            number ?? sequence, adapter: slot(sequence), tokens: sequences[sequence].fed,
            promptTokenCount: sequences[sequence].prompt.count)
    }

    /// The slot under which tests map a sequence's adapter.
    func slot(_ sequence: Int) -> AdapterSlot? {
        sequences[sequence].adapter == nil ? nil : AdapterSlot(Int32(sequence))
    }
}
