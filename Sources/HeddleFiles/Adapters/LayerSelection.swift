/// Decides which layers `layers_to_transform` and `layers_pattern` leave of the modules that `target_modules` names by their
/// ends.
struct LayerSelection: Sendable {
    private let layers: Set<Int>
    /// Names of the list of layers; none is any.
    private let patterns: [[UInt8]]

    /// Nil where the fields choose no layers.
    ///
    /// - Parameter targetsAreNames: PEFT refuses the fields beside a pattern.
    init?(_ reader: FieldReader, targetsAreNames: Bool, limits: AdapterLimits) throws(FieldError) {
        let chosen = reader.present("layers_to_transform")
        let named = reader.present("layers_pattern")
        for (field, value) in [("layers_to_transform", chosen), ("layers_pattern", named)] {
            guard let value, !targetsAreNames else { continue }
            throw reader.invalid(field, value, "null where target_modules is no list")
        }
        let patterns = try Self.patterns(named, reader, limits: limits)
        guard let chosen else {
            guard patterns.isEmpty else { throw .missing(file: reader.file, field: "layers_to_transform") }
            return nil
        }
        let values = chosen.array ?? [chosen]
        guard values.count <= limits.layerCountMax else {
            throw reader.invalid("layers_to_transform", chosen, "at most \(limits.layerCountMax) numbers of layers")
        }
        var layers: Set<Int> = []
        for value in values {
            guard let layer = value.integer else {
                throw reader.invalid("layers_to_transform", chosen, "a number of a layer, or a list of them")
            }
            layers.insert(layer)
        }
        if values.isEmpty { return nil }
        self.layers = layers
        self.patterns = patterns
    }

    /// Whether the number in a module's name is one of the layers.
    func contains(_ name: ModuleName) -> Bool {
        guard let layer = patterns.isEmpty ? Self.firstNumber(in: name) : number(in: name) else { return false }
        return layers.contains(layer)
    }

    /// What `.*?\.[^.]*\.(\d+)\.` finds: the first part of the name that is a number, has two parts or more before it, and
    /// one behind.
    private static func firstNumber(in name: ModuleName) -> Int? {
        let parts = name.text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 3 else { return nil }
        return parts[2..<(parts.count - 1)].lazy.compactMap { Self.number(Array($0.utf8)) }.first
    }

    /// What `(?:^|.*?\.)pattern\.(\d+)\.` finds for the first pattern that finds anything.
    private func number(in name: ModuleName) -> Int? {
        let bytes = Array(name.text.utf8)
        for pattern in patterns {
            for begin in bytes.indices where begin == 0 || bytes[begin - 1] == UInt8(ascii: ".") {
                let end = begin + pattern.count
                guard end < bytes.count, bytes[end] == UInt8(ascii: "."),
                    // A dot of a pattern stands for any character.
                    zip(pattern, bytes[begin..<end]).allSatisfy({ $0 == UInt8(ascii: ".") || $0 == $1 }),
                    let dot = bytes[(end + 1)...].firstIndex(of: UInt8(ascii: ".")),
                    let number = Self.number(Array(bytes[(end + 1)..<dot]))
                else { continue }
                return number
            }
        }
        return nil
    }

    private static func number(_ digits: [UInt8]) -> Int? {
        digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            ? Int(String(decoding: digits, as: UTF8.self)) : nil
    }

    private static func patterns(
        _ value: JSONValue?, _ reader: FieldReader, limits: AdapterLimits
    ) throws(FieldError) -> [[UInt8]] {
        guard let value else { return [] }
        if value.text == "" { return [] }
        let values = value.array ?? [value]
        guard values.count <= limits.targetCountMax else {
            throw reader.invalid("layers_pattern", value, "at most \(limits.targetCountMax) names")
        }
        var patterns: [[UInt8]] = []
        for value in values {
            guard let text = value.text else {
                throw reader.invalid("layers_pattern", value, "a name, or a list of them")
            }
            guard !text.isEmpty, text.utf8.allSatisfy({ ModuleName.isOfWord($0) || $0 == UInt8(ascii: ".") }) else {
                throw .unsupported(
                    file: reader.file, field: "layers_pattern", value: value.description, supported: "plain names are")
            }
            patterns.append(Array(text.utf8))
        }
        return patterns
    }
}
