import Foundation
import HeddleFiles
import Testing

/// Frequencies against those of `transformers` (Goldens/make_rotary_goldens.py).
@Suite struct RotaryEncodingTests {
    @Test func frequenciesAreThoseOfTransformers() throws {
        let text = try [UInt8](Data(contentsOf: URL(fileURLWithPath: GoldenFiles.path("rotary.json"))))
        let cases = try #require(JSONParser.parse(text).array)
        #expect(cases.count == 16)
        var different = 0
        var count = 0
        for value in cases {
            let golden = try #require(value.object)
            let model = try Architecture.read(
                #require(golden["config"]?.object), file: "config.json")
            let encoding = model.rotary[0]
            let found = encoding.frequencies(
                headDimension: model.headDimension, sequenceLength: try #require(golden["length"]?.integer))
            let expected = try #require(golden["frequencies"]?.array).map { Float($0.number ?? 0) }
            #expect(found.count == expected.count)
            #expect(found.count == encoding.frequencyCount(headDimension: model.headDimension))
            #expect(try abs(encoding.attentionFactor - #require(golden["factor"]?.number)) < 1e-12)
            for (index, (frequency, reference)) in zip(found, expected).enumerated() {
                count += 1
                if frequency == reference { continue }
                different += 1
                // A power may be rounded the other way, and what follows from it.
                let isNear = abs(frequency - reference) <= 3 * reference.ulp
                #expect(isNear, "\(encoding.scaling), frequency \(index): \(frequency), not \(reference)")
            }
        }
        #expect(different * 10 < count, "\(different) of \(count) frequencies differ in their last bits")
        print("\(different) of \(count) frequencies differ in their last bits")
    }
}
