/// A regular set of byte strings, as it is written down before it becomes a `ByteMachine`.
indirect enum ByteExpression: Sendable {
    /// One byte of a set.
    case byte(ByteSet)
    case sequence([ByteExpression])
    /// One of them; of none nothing.
    case any([ByteExpression])
    case repeated(ByteExpression, min: Int, max: Int?)

    static let empty = ByteExpression.sequence([])

    /// Exactly these bytes.
    static func literal(_ bytes: some Sequence<UInt8>) -> ByteExpression {
        .sequence(bytes.map { .byte(ByteSet(CollectionOfOne($0))) })
    }

    static func literal(_ text: String) -> ByteExpression { literal(text.utf8) }

    /// One of the bytes of an ASCII text.
    static func oneOf(_ text: String) -> ByteExpression { .byte(ByteSet(text.utf8)) }

    static func range(_ lower: Unicode.Scalar, _ upper: Unicode.Scalar) -> ByteExpression {
        .byte(ByteSet(UInt8(ascii: lower)...UInt8(ascii: upper)))
    }

    static let digit = range("0", "9")

    func optional() -> ByteExpression { .repeated(self, min: 0, max: 1) }
    func times(_ count: Int) -> ByteExpression { .repeated(self, min: count, max: count) }
    func times(_ range: ClosedRange<Int>) -> ByteExpression {
        .repeated(self, min: range.lowerBound, max: range.upperBound)
    }
    var star: ByteExpression { .repeated(self, min: 0, max: nil) }
    var plus: ByteExpression { .repeated(self, min: 1, max: nil) }

    static func + (left: ByteExpression, right: ByteExpression) -> ByteExpression { .sequence([left, right]) }
    static func | (left: ByteExpression, right: ByteExpression) -> ByteExpression { .any([left, right]) }
}
