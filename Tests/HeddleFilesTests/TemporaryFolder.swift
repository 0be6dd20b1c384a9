import Foundation
import HeddleFiles

/// A folder that exists as long as the object does.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("heddle-files-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, text.utf8) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }
}

/// Writes safetensors bytes, right or deliberately wrong.
struct SafetensorsBytes {
    struct Tensor {
        var name: String
        var type = "F32"
        var shape: [Int]
        var bytes: [UInt8]

        /// Floats from a seeded generator, so that two runs write the same file.
        static func random(_ name: String, _ shape: [Int], seed: UInt64) -> Tensor {
            var generator = SeededGenerator(state: seed)
            let values = (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) }
            return floats(name, shape, values)
        }

        static func floats(_ name: String, _ shape: [Int], _ values: [Float]) -> Tensor {
            Tensor(name: name, shape: shape, bytes: values.flatMap { littleEndian($0.bitPattern) })
        }

        static func halves(_ name: String, type: String, _ shape: [Int], _ patterns: [UInt16]) -> Tensor {
            Tensor(name: name, type: type, shape: shape, bytes: patterns.flatMap { littleEndian($0) })
        }
    }

    static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static func file(_ tensors: [Tensor]) -> [UInt8] {
        var offset = 0
        var entries: [String] = [#""__metadata__":{"format":"pt"}"#]
        for tensor in tensors {
            let end = offset + tensor.bytes.count
            entries.append(entry(tensor.name, tensor.type, "\(tensor.shape)", "[\(offset),\(end)]"))
            offset = end
        }
        return file(header: "{" + entries.joined(separator: ",") + "}", data: tensors.flatMap(\.bytes))
    }

    static func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    /// Pads the header with spaces so that the data starts at a multiple of eight.
    static func file(header: String, data: [UInt8], pads: Bool = true) -> [UInt8] {
        var text = Array(header.utf8)
        while pads, !text.count.isMultiple(of: 8) { text.append(0x20) }
        return littleEndian(UInt64(text.count)) + text + data
    }
}

/// The text of the error that a closure throws; nil where it throws none.
func errorText(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch { return "\(error)" }
}
