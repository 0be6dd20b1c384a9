/// What generation_config.json proposes for requests that do not say otherwise. Fields that are missing are nil: what a
/// program then does is its own default, not the model's.
public struct GenerationDefaults: Hashable, Sendable {
    /// Whether tokens are drawn; where not, the most likely one is taken and the numbers below have no effect.
    public var isSampling: Bool?
    /// Above zero.
    public var temperature: Double?
    /// Tokens that remain candidates; 0 keeps all.
    public var topK: Int?
    /// Probability that candidates add up to, above 0 and at most 1.
    public var topP: Double?
    /// Least probability of a candidate relative to the most likely, 0 to 1.
    public var minP: Double?
    /// Probability that candidates of typical surprise add up to, above 0 and at most 1.
    public var typicalP: Double?
    /// What logits of tokens that have occurred are divided by, above zero.
    public var repetitionPenalty: Double?
    /// Tokens generated at most.
    public var tokenCountMax: Int?

    /// No proposals.
    public init() {}

    static func read(_ reader: FieldReader, limits: ModelLimits) throws(FieldError) -> GenerationDefaults {
        func number(_ field: String, in range: ClosedRange<Double>, _ rule: String) throws(FieldError) -> Double? {
            guard let value = reader.present(field) else { return nil }
            guard let number = value.number, range.contains(number) else { throw reader.invalid(field, value, rule) }
            return number
        }
        func whole(_ field: String) throws(FieldError) -> Int? {
            guard reader.present(field) != nil else { return nil }
            return try reader.integer(field, in: 0...Int(Int32.max))
        }
        var defaults = GenerationDefaults()
        if reader.present("do_sample") != nil {
            defaults.isSampling = try reader.bool("do_sample", default: false)
        }
        // Files of models that do not sample hold temperatures of 0, and those of old ones a top_p of 0: no proposal.
        func positive(_ field: String, atMost most: Double) throws(FieldError) -> Double? {
            let value = try number(field, in: 0...most, "a number from 0 to \(most)")
            return value.flatMap { $0 > 0 ? $0 : nil }
        }
        defaults.temperature = try positive("temperature", atMost: 1e6)
        defaults.topK = try whole("top_k")
        defaults.topP = try positive("top_p", atMost: 1)
        defaults.minP = try number("min_p", in: 0...1, "a number from 0 to 1")
        defaults.typicalP = try positive("typical_p", atMost: 1)
        defaults.repetitionPenalty = try positive("repetition_penalty", atMost: 1e6)
        defaults.tokenCountMax = try whole("max_new_tokens")
        return defaults
    }
}
