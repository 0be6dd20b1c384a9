/// Owns a Python dictionary: keys of any hashable kind, in the order in which they were first set.
final class Mapping {
    let entries: [(key: Value, value: Value)]
    let depth: Int
    private let hashes: [HashKey]
    /// Only larger dictionaries are worth an index.
    private let places: [HashKey: Int]

    /// Later values replace earlier ones of the same key.
    init(_ pairs: [(hash: HashKey, key: Value, value: Value)]) {
        var entries: [(key: Value, value: Value)] = []
        var hashes: [HashKey] = []
        var places: [HashKey: Int] = [:]
        entries.reserveCapacity(pairs.count)
        for (hash, key, value) in pairs {
            let place = pairs.count > Self.linearCountMax ? places[hash] : hashes.firstIndex(of: hash)
            if let place {
                entries[place].value = value
            } else {
                if pairs.count > Self.linearCountMax { places[hash] = entries.count }
                hashes.append(hash)
                entries.append((key, value))
            }
        }
        self.entries = entries
        self.hashes = hashes
        self.places = places
        depth = 1 + entries.reduce(0) { max($0, $1.key.depth, $1.value.depth) }
    }

    private static let linearCountMax = 8

    /// The value at a key; nil where there is none.
    subscript(_ hash: HashKey) -> Value? {
        if places.isEmpty { return hashes.firstIndex(of: hash).map { entries[$0].value } }
        return places[hash].map { entries[$0].value }
    }

    /// All of it as it was given, to make another from.
    var pairs: [(hash: HashKey, key: Value, value: Value)] {
        zip(hashes, entries).map { ($0, $1.key, $1.value) }
    }
}

/// A dictionary key by what makes it equal to another: `1`, `1.0` and `True` are one key.
indirect enum HashKey: Hashable {
    case none
    case undefined
    case integer(Int)
    case float(UInt64)
    case text(Text)
    case tuple([HashKey])
    case object(ObjectIdentifier)
    case function(String)
}
