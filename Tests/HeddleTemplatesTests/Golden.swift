import Foundation
import HeddleFiles
import Testing

/// The lines of a golden file.
enum Golden {
    static func lines(_ name: String) throws -> [JSONObject] {
        let url = try #require(Bundle.module.url(forResource: "Goldens", withExtension: nil))
        let data = try Data(contentsOf: url.appendingPathComponent(name))
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            try #require(try JSONParser.parse(Array(line)).object)
        }
    }

    /// An object's members as a template's variables.
    static func variables(_ object: JSONObject) -> [(name: String, value: JSONValue)] {
        object.members.map { ($0.key.description, $0.value) }
    }
}
