import Foundation
import HeddleFiles
import Testing

/// Which modules a configuration adapts, with which rank and scale, against what `peft` adapted
/// (Goldens/make_adapter_goldens.py).
@Suite struct AdapterSelectionTests {
    @Test func configurationsChangeWhatPEFTChanges() throws {
        let lines = try GoldenFiles.lines("selections.jsonl").map { try JSONParser.parse($0) }
        var model = SmallModel()
        model.layerCount = 4
        let modules = model.configuration.adaptableModules
        #expect(Set(modules.map(\.name.text)) == Set(try #require(lines.first?.array).compactMap(\.text)))
        var readCount = 0
        for line in lines.dropFirst() {
            let config = try #require(line.object?["config"]?.object)
            let expected = line.object?["changes"]?.object
            var found: [String: [Double]] = [:]
            do throws(AdapterFileError) {
                let configuration = try AdapterConfiguration(config, file: "c", limits: AdapterLimits())
                for (module, change) in try configuration.changes(of: modules) {
                    found[module.name.text] = [Double(change.rank), Double(change.scale)]
                }
            } catch {
                guard expected != nil else { continue }
                // What PEFT reads must be read, unless it uses what patterns may not.
                #expect("\(error)".contains("at character"), "\(error): \(config)")
                continue
            }
            guard let expected else {
                // PEFT refuses what names no module, or one that is no linear layer; the former is refused with the files.
                let words = line.object?["refused"]?.text ?? ""
                #expect(found.isEmpty || words.hasPrefix("ValueError: Target module Llama"), "\(words): \(config)")
                continue
            }
            readCount += 1
            var wanted: [String: [Double]] = [:]
            for member in expected.members {
                wanted[member.key.description] = member.value.array?.compactMap(\.number)
            }
            #expect(found == wanted, "\(config)")
        }
        #expect(readCount > 250, "\(readCount) of \(lines.count) configurations are read")
    }

    @Test func everyFieldOfPEFTHasARule() throws {
        let text = try GoldenFiles.lines("lora_fields.json").joined()
        let fields = try #require(JSONParser.parse(Array(text)).object?["fields"]?.array).compactMap(\.text)
        #expect(fields.count > 40)
        let rules = Set(AdapterListing.fieldRules.map(\.field))
        for field in fields { #expect(rules.contains(field), "LoraConfig.\(field) has no rule") }
    }
}
