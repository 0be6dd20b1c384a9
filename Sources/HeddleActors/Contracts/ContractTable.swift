/// One remote method: its number on the wire, its signature for people, and the symbol that a call executes.
public struct ContractMethod: Hashable, Sendable {
    /// Never reused, never renumbered.
    public let index: UInt32
    /// As `Docs/CONTRACTS.txt` shows it: `Module.Type.method(labels:) (Parameters) -> Result`.
    public let signature: String
    /// The mangled name of the distributed thunk.
    public let target: String

    public init(index: UInt32, target: String, signature: String) {
        self.index = index
        self.signature = signature
        self.target = target
        name = Self.name(of: signature)
    }

    /// `Type.method(labels:)`: what tables and traces show.
    public let name: String

    private static func name(of signature: String) -> String {
        guard let open = signature.firstIndex(of: "(") else { return signature }
        let path = signature[..<open].split(separator: ".").suffix(2).joined(separator: ".")
        var labels = ""
        var label = ""
        var depth = 0
        for character in signature[open...] {
            switch character {
            case "(", "<", "[": depth += 1
            case ")", ">", "]": depth -= 1
            case ":" where depth == 1:
                labels += label + ":"
                label = ""
            case "," where depth == 1: label = ""
            case " " where depth == 1: break
            default: if depth == 1 { label.append(character) }
            }
            if depth == 0 { break }
        }
        return "\(path)(\(labels))"
    }
}

/// The remote methods that a node offers and calls. The wire carries indices into it and never a symbol, so that no bytes
/// from outside can name code; its digest is compared when two nodes meet.
public struct ContractTable: Sendable {
    public let methods: [ContractMethod]
    public let errors: WireErrorTable
    /// FNV-1a over every method's index, signature and symbol and every error's code and type. It tells builds apart; it
    /// protects from nobody.
    public let digest: UInt64

    private let byTarget: [String: Int]
    private let byIndex: [UInt32: Int]
    private let serving: [UInt32: ContractServing]

    /// An index or a symbol that occurs twice, and a serving of a method that is not there, are a programmer's errors.
    public init(_ methods: [ContractMethod], errors: WireErrorTable = .standard, serving: [ContractServing] = []) {
        self.methods = methods.sorted { $0.index < $1.index }
        self.errors = errors
        var byTarget: [String: Int] = [:]
        var byIndex: [UInt32: Int] = [:]
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ text: String) {
            for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            digest = (digest ^ 0xFF) &* 0x0000_0100_0000_01B3
        }
        for (position, method) in self.methods.enumerated() {
            precondition(
                byIndex.updateValue(position, forKey: method.index) == nil, "index \(method.index) names two methods")
            precondition(
                byTarget.updateValue(position, forKey: method.target) == nil, "\(method.target) has two indices")
            mix(String(method.index))
            mix(method.signature)
            mix(method.target)
        }
        for line in errors.lines { mix(line) }
        self.byTarget = byTarget
        self.byIndex = byIndex
        self.digest = digest
        var byMethod: [UInt32: ContractServing] = [:]
        for one in serving {
            let named = methods.filter { $0.name == one.name }
            precondition(named.count == 1, "the table has \(named.count) methods \(one.name); run .ci/contracts")
            for method in named { byMethod[method.index] = one }
        }
        self.serving = byMethod
    }

    /// How the method is served; nil for the runtime's own way.
    func serving(at index: UInt32) -> ContractServing? { serving[index] }

    /// The methods of both; the errors of the left one.
    public static func + (left: Self, right: Self) -> Self {
        Self(
            left.methods + right.methods, errors: left.errors,
            serving: Array(left.serving.values) + Array(right.serving.values))
    }

    /// The method of an index from the wire; nil for one that no line has.
    public func method(at index: UInt32) -> ContractMethod? { byIndex[index].map { methods[$0] } }

    /// The method that a call means; nil for a function that the table was not regenerated for.
    func method(of target: String) -> ContractMethod? { byTarget[target].map { methods[$0] } }
}
