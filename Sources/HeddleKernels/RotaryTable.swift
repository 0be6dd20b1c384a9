import Glibc

/// Cosines and sines of angles, one entry for each position, or for each row of a step.
public struct RotaryTable: Sendable {
    /// Elements of a head that rotate: two for each frequency.
    public let rotaryDimension: Int
    /// Entries so far.
    public private(set) var entryCount = 0
    private(set) var cosines: [Float] = []
    private(set) var sines: [Float] = []

    /// An empty table for so many frequencies.
    public init(frequencyCount: Int) {
        precondition(frequencyCount > 0, "a head rotates by at least one frequency")
        rotaryDimension = 2 * frequencyCount
    }

    /// Entries for positions 0 ..< positionCount.
    public init(frequencies: [Float], positionCount: Int, scale: Float = 1) {
        self.init(frequencyCount: frequencies.count)
        cosines.reserveCapacity(positionCount * frequencies.count)
        sines.reserveCapacity(positionCount * frequencies.count)
        append(positions: 0..<positionCount, frequencies: frequencies, scale: scale)
    }

    /// Appends an entry for each position: cosines and sines of position · frequency, times `scale`.
    ///
    /// The angle is rounded to f32 before its cosine is taken, as every program around Hugging Face's checkpoints does: at
    /// position 100,000 that rounding moves an angle by up to 0.004, and a model's results with it.
    public mutating func append(positions: Range<Int>, frequencies: [Float], scale: Float = 1) {
        precondition(frequencies.count * 2 == rotaryDimension, "every entry has as many frequencies")
        precondition(
            positions.lowerBound >= 0 && positions.upperBound <= Int(Int32.max) - entryCount, "a count of positions")
        for position in positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosines.append(Float(cos(angle)) * scale)
                sines.append(Float(sin(angle)) * scale)
            }
        }
        entryCount += positions.count
    }
}
