/// Decides how an adapter's tensors fit a base model: which modules its configuration names there, that each has A and B in
/// their shapes, and that nothing is left over.
struct AdapterFit {
    let modules: [AdapterModule]
    /// A and B of each module of the base model, once where its parts share them.
    let pairs: [(a: TensorView, b: TensorView)]
    /// What PEFT would put in place of the base model's own weights.
    let baseCopies: [(tensor: TensorView, role: ModelTensor)]

    init(
        _ weights: SafetensorsSet, _ configuration: AdapterConfiguration, base: ModelConfiguration
    ) throws(AdapterFileError) {
        let all = base.adaptableModules
        let changes = try configuration.changes(of: all)
        guard !changes.isEmpty else {
            throw .nothingTargeted(file: configuration.file, modules: Self.shortNames(of: all))
        }
        try Self.checkTies(changes.map(\.module), configuration, base)
        // PEFT passes over a name that no module has. It may be there to serve several bases; but where tensors do not fit
        // either, it is the better reason.
        let unmatched = configuration.targets.firstUnmatchedName(among: all)
        do {
            (modules, pairs, baseCopies) = try Self.collect(changes, all, weights, base)
        } catch {
            guard let unmatched, error.isAboutWhatIsThere else { throw error }
            throw .targetUnsupported(file: configuration.file, target: unmatched, modules: Self.shortNames(of: all))
        }
    }

    private typealias Collected = (
        modules: [AdapterModule], pairs: [(a: TensorView, b: TensorView)],
        copies: [(tensor: TensorView, role: ModelTensor)]
    )

    private static func collect(
        _ changes: [(module: AdaptableModule, change: AdapterConfiguration.Change)], _ all: [AdaptableModule],
        _ weights: SafetensorsSet, _ base: ModelConfiguration
    ) throws(AdapterFileError) -> Collected {
        var collected: Collected = ([], [], [])
        var expected: Set<JSONString> = []
        for (module, change) in changes {
            let a = try tensor(module.nameA, of: weights, shape: [change.rank, module.inputCount])
            let b = try tensor(module.nameB, of: weights, shape: [module.outputCount, change.rank])
            expected.insert(JSONString(module.nameA))
            expected.insert(JSONString(module.nameB))
            collected.pairs.append((a, b))
            for (target, outputs) in module.parts {
                collected.modules.append(
                    AdapterModule(
                        name: module.name.text, target: target, a: a, b: b, outputs: outputs, rank: change.rank,
                        alpha: change.alpha, scale: change.scale))
            }
        }
        for module in all {
            for name in module.baseCopyNames where weights.tensor(name) != nil {
                let role = module.kind == .output ? ModelTensor.output : .embedding
                collected.copies.append((try tensor(name, of: weights, shape: base.shape(of: role)), role))
                expected.insert(JSONString(name))
            }
        }
        for name in weights.names where !expected.contains(JSONString(name)) {
            guard let view = weights.tensor(name) else { continue }
            throw .tensorUnexpected(tensor: name, shape: view.shape)
        }
        return collected
    }

    private static func tensor(
        _ name: String, of weights: SafetensorsSet, shape: [Int]
    ) throws(AdapterFileError) -> TensorView {
        guard let view = weights.tensor(name) else { throw .tensorMissing(tensor: name, shape: shape) }
        guard view.shape == shape else { throw .tensorShape(tensor: name, found: view.shape, expected: shape) }
        guard view.elementType.isReadAsFloat else {
            throw .tensorElementType(tensor: name, found: view.elementType)
        }
        return view
    }

    /// Over tied embeddings, `ensure_weight_tying` has newer releases of PEFT apply the embedding's A and B, transposed, to the
    /// output projection; older ones pass over it. Without it all of them leave the two modules' changes apart, as does this.
    private static func checkTies(
        _ targets: [AdaptableModule], _ configuration: AdapterConfiguration, _ base: ModelConfiguration
    ) throws(AdapterFileError) {
        guard configuration.tiesAdapters, base.tiedEmbeddings else { return }
        if let target = targets.first(where: { $0.kind != .linear }) {
            throw .tiedAdapters(file: configuration.file, module: target.name.text)
        }
    }

    /// Each last part of a name once, in order: q_proj, k_proj and so on.
    private static func shortNames(of modules: [AdaptableModule]) -> [String] {
        var names: [String] = []
        for module in modules {
            guard let name = module.name.text.split(separator: ".").last.map(String.init), !names.contains(name) else {
                continue
            }
            names.append(name)
        }
        return names
    }
}

extension AdapterFileError {
    /// Whether a tensor is missing, left over or of another shape.
    fileprivate var isAboutWhatIsThere: Bool {
        switch self {
        case .tensorMissing, .tensorUnexpected, .tensorShape: true
        default: false
        }
    }
}
