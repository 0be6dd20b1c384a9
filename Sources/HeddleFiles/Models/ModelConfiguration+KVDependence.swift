import HeddleCore

extension ModelConfiguration {
    /// What the model's keys and values follow from, beside the tokens: what its rotations make of a sequence's length.
    public var kvDependence: KVDependence {
        let all = rotary.compactMap(\.dependence)
        guard let first = all.first else { return .nothing }
        return all.allSatisfy { $0 == first } ? first : .several
    }
}

extension RotaryEncoding {
    fileprivate var dependence: KVDependence? {
        switch scaling {
        case .none, .linear, .llama3, .yarn: nil
        case .dynamic(_, let length): .lengthOfPrompt(beyond: length)
        case .long(let long):
            long.isComputedAnew
                ? .computedAnew(beyond: long.originalPositionCount) : .promptIsLonger(than: long.originalPositionCount)
        }
    }
}
