import Glibc

/// How positions rotate queries and keys: the base, the part of a head that rotates, and how frequencies are scaled
/// beyond the length that the model was first trained for.
///
/// Frequencies are computed as `transformers` does (modeling_rope_utils.py), in f32 where it uses f32: an angle is a
/// position times its frequency, so that a last bit here is many bits at position 100,000.
///
/// Two kinds of scaling depend on the length of the sequence, and in `transformers` a key keeps the angles that it was
/// given when it was cached. What `generate` does for a fresh request is nevertheless a pure function of the request, and
/// is what is computed here: the row at position p of a request with a prompt of P tokens has the frequencies of the
/// length max(P, p + 1), however the prompt is cut, and also when it is run again. (A Python model object that served a
/// longer request before may keep that request's frequencies; a fresh one does not.)
public struct RotaryEncoding: Hashable, Sendable {
    /// What is done to the frequencies.
    public enum Scaling: Hashable, Sendable {
        case none
        /// All divided by one number.
        case linear(factor: Double)
        /// The base grows with the sequence, beyond the positions of the training.
        case dynamic(factor: Double, originalPositionCount: Int)
        /// Low frequencies divided, high ones not, those between interpolated (Llama 3.1).
        case llama3(Llama3)
        /// The same by a ramp over dimensions, and a factor on the attention (arXiv 2309.00071).
        case yarn(Yarn)
        /// A divisor for each frequency, of two sets by the length (arXiv 2402.13753).
        case long(Long)
    }

    /// The numbers of Llama 3.1's scaling.
    public struct Llama3: Hashable, Sendable {
        /// What low frequencies are divided by.
        public var factor: Double
        /// Rotations within the original length below which a frequency is low.
        public var lowFrequencyFactor: Double
        /// Rotations within the original length above which a frequency is high.
        public var highFrequencyFactor: Double
        /// Positions of the first training.
        public var originalPositionCount: Int
    }

    /// The numbers of YaRN.
    public struct Yarn: Hashable, Sendable {
        /// What low frequencies are divided by.
        public var factor: Double
        /// Rotations within the original length where the ramp begins (`beta_fast`).
        public var fastRotationCount: Double
        /// Rotations within the original length where the ramp ends (`beta_slow`).
        public var slowRotationCount: Double
        /// Positions of the first training.
        public var originalPositionCount: Int
        /// Whether the ramp's ends are rounded to whole dimensions.
        public var isTruncated: Bool
        /// What cosines and sines are multiplied by.
        public var attentionFactor: Double
    }

    /// The numbers of LongRoPE.
    public struct Long: Hashable, Sendable {
        /// Divisors of the frequencies of short sequences.
        public var shortFactors: [Double]
        /// Divisors of the frequencies of long sequences.
        public var longFactors: [Double]
        /// The longest sequence of the short set.
        public var originalPositionCount: Int
        /// What cosines and sines are multiplied by.
        public var attentionFactor: Double
        /// Whether a sequence that outgrows the short set is computed anew with the long one, as Phi-3 does; elsewhere
        /// the keys that it has stay as they are.
        public var isComputedAnew: Bool
    }

    /// The base of the frequencies.
    public var theta: Double
    /// The part of a head that rotates, its first elements.
    public var partialFactor: Double
    /// What is done to the frequencies.
    public var scaling: Scaling

    /// A whole head by plain frequencies, unless said otherwise.
    public init(theta: Double = 10_000, partialFactor: Double = 1, scaling: Scaling = .none) {
        self.theta = theta
        self.partialFactor = partialFactor
        self.scaling = scaling
    }

    /// Elements of a head that frequencies are made for.
    private func dimension(_ headDimension: Int) -> Int { Int(Double(headDimension) * partialFactor) }

    /// Frequencies of a head; twice as many elements rotate.
    public func frequencyCount(headDimension: Int) -> Int { (dimension(headDimension) + 1) / 2 }

    /// What cosines and sines are multiplied by.
    public var attentionFactor: Double {
        switch scaling {
        case .none, .linear, .dynamic, .llama3: 1
        case .yarn(let yarn): yarn.attentionFactor
        case .long(let long): long.attentionFactor
        }
    }

    /// The longest sequence whose rows all have the same frequencies; nil where length changes nothing.
    public var lengthMax: Int? {
        switch scaling {
        case .none, .linear, .llama3, .yarn: nil
        case .dynamic(_, let original): original
        case .long(let long): long.originalPositionCount
        }
    }

    /// Radians a position, ascending dimensions, for rows of a sequence of so many tokens.
    public func frequencies(headDimension: Int, sequenceLength: Int = 1) -> [Float] {
        let dimension = dimension(headDimension)
        switch scaling {
        case .none: return powers(of: Float(theta), dimension).map { 1 / $0 }
        case .linear(let factor): return powers(of: Float(theta), dimension).map { 1 / $0 / Float(factor) }
        case .dynamic(let factor, let original):
            guard sequenceLength > original else { return powers(of: Float(theta), dimension).map { 1 / $0 } }
            let ratio = Float(factor) * Float(sequenceLength) / Float(original) - Float(factor - 1)
            let exponent = Double(dimension) / Double(dimension - 2)
            let base = Float(theta) * Float(pow(Double(ratio), exponent))
            return powers(of: base, dimension).map { 1 / $0 }
        case .llama3(let numbers): return powers(of: Float(theta), dimension).map { numbers.scaled(1 / $0) }
        case .yarn(let yarn): return yarn.scaled(powers(of: Float(theta), dimension), dimension, theta: theta)
        case .long(let long):
            let factors = sequenceLength > long.originalPositionCount ? long.longFactors : long.shortFactors
            return zip(factors, powers(of: Float(theta), dimension)).map { 1 / (Float($0) * $1) }
        }
    }

    /// base ^ (2i / dimension).
    private func powers(of base: Float, _ dimension: Int) -> [Float] {
        stride(from: 0, to: dimension, by: 2).map {
            Float(pow(Double(base), Double(Float($0) / Float(dimension))))
        }
    }
}

extension RotaryEncoding.Llama3 {
    fileprivate func scaled(_ frequency: Float) -> Float {
        let wavelength = 1 / frequency * Float(2 * Double.pi)
        let original = Float(originalPositionCount)
        if wavelength > Float(Double(originalPositionCount) / lowFrequencyFactor) { return frequency / Float(factor) }
        if wavelength < Float(Double(originalPositionCount) / highFrequencyFactor) { return frequency }
        let smooth =
            (1 / wavelength * original - Float(lowFrequencyFactor)) / Float(highFrequencyFactor - lowFrequencyFactor)
        return (1 - smooth) * frequency / Float(factor) + smooth * frequency
    }
}

extension RotaryEncoding.Yarn {
    fileprivate func scaled(_ powers: [Float], _ dimension: Int, theta: Double) -> [Float] {
        func turning(_ count: Double) -> Double {
            Double(dimension) * log(Double(originalPositionCount) / (count * 2 * Double.pi)) / (2 * log(theta))
        }
        var (low, high) = (turning(fastRotationCount), turning(slowRotationCount))
        if isTruncated { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        low = max(low, 0)
        high = min(high, Double(dimension - 1))
        if low == high { high += 0.001 }
        return powers.enumerated().map { index, power in
            let ramp = min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
            let kept = 1 - ramp
            return 1 / (Float(factor) * power) * (1 - kept) + 1 / power * kept
        }
    }
}
