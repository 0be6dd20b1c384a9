import Glibc

/// What a row of logits says of the next token.
struct Distribution {
    /// The token of the largest logit; the first where several have it.
    let likeliest: Int
    /// Mean of the logits.
    let mean: Double
    /// Logarithm of the sum of the logits' exponentials.
    private let logarithm: Double

    init(_ logits: UnsafeBufferPointer<Float>) {
        var (likeliest, sum) = (0, 0.0)
        for index in logits.indices {
            if logits[index] > logits[likeliest] { likeliest = index }
            sum += Double(logits[index])
        }
        let most = logits.isEmpty ? 0 : Double(logits[likeliest])
        var exponentials = 0.0
        for logit in logits { exponentials += exp(Double(logit) - most) }
        self.likeliest = likeliest
        mean = sum / Double(max(1, logits.count))
        logarithm = most + log(exponentials)
    }

    /// The negative logarithm of a token's probability.
    func surprise(of token: Int, in logits: UnsafeBufferPointer<Float>) -> Double {
        logarithm - Double(logits[token])
    }
}

extension FormatAccuracy {
    static func exponential(_ exponent: Double) -> Double { exp(exponent) }
}
