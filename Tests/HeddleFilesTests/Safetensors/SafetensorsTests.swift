import Foundation
import HeddleFiles
import Testing

@Suite struct SafetensorsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func refusal(_ bytes: [UInt8]) throws -> String {
        let path = try folder.write("t.safetensors", bytes)
        let text = errorText { _ = try SafetensorsSet(file: path) } ?? "accepted"
        #expect(text == "accepted" || text.contains(path), "an error names its file: \(text)")
        return text.replacingOccurrences(of: path, with: "FILE")
    }

    private func refusal(header: String, dataByteCount: Int) throws -> String {
        try refusal(SafetensorsBytes.file(header: header, data: [UInt8](repeating: 0, count: dataByteCount)))
    }

    @Test func everyHalfConvertsExactly() throws {
        let set = try SafetensorsSet(file: GoldenFiles.path("halves.safetensors"))
        #expect(set.names == ["bf16", "f16", "f32"])
        let half = try #require(set.tensor("f16")).floats()
        let brain = try #require(set.tensor("bf16")).floats()
        let expected = try #require(set.tensor("f32")).floats()
        try #require(half.count == 65536 && brain.count == 65536 && expected.count == 65536)
        for pattern in 0..<65536 {
            if expected[pattern].isNaN {
                try #require(half[pattern].isNaN && half[pattern].sign == expected[pattern].sign)
            } else {
                try #require(half[pattern].bitPattern == expected[pattern].bitPattern, "f16 pattern \(pattern)")
            }
            try #require(brain[pattern].bitPattern == UInt32(pattern) << 16, "bf16 pattern \(pattern)")
        }
    }

    @Test func rectanglesAreRead() throws {
        let path = try folder.write(
            "t.safetensors",
            SafetensorsBytes.file([
                .floats("m", [3, 4], (0..<12).map { Float($0) }),
                .halves("h", type: "F16", [2, 2], [0x3C00, 0xC000, 0x0001, 0x7C00]),
                .floats("v", [3], [7, 8, 9]), .floats("n", [], [5]), .floats("none", [0, 4], []),
                .init(name: "ids", type: "I64", shape: [1], bytes: [UInt8](repeating: 0, count: 8)),
                .floats("cube", [1, 1, 2], [1, 2]),
            ]))
        let set = try SafetensorsSet(file: path)
        #expect(set.names == ["cube", "h", "ids", "m", "n", "none", "v"])
        func read(_ name: String, _ rows: Range<Int>, _ columns: Range<Int>? = nil) throws -> [Float] {
            let tensor = try #require(set.tensor(name))
            var values = [Float](repeating: -1, count: rows.count * (columns?.count ?? tensor.columnCount))
            try values.withUnsafeMutableBufferPointer { try tensor.readFloats(rows: rows, columns: columns, into: $0) }
            return values
        }
        #expect(try read("m", 1..<3) == [4, 5, 6, 7, 8, 9, 10, 11])
        #expect(try read("m", 1..<3, 1..<3) == [5, 6, 9, 10])
        #expect(try read("m", 2..<2) == [])
        #expect(try read("h", 0..<2) == [1, -2, 0x1p-24, .infinity])
        #expect(try read("v", 0..<1) == [7, 8, 9] && read("v", 0..<1, 2..<3) == [9])
        #expect(try read("n", 0..<1) == [5] && read("none", 0..<0) == [])
        #expect(
            errorText { _ = try read("ids", 0..<1) }
                == "\(path): tensor “ids” has elements of type I64, which are not read as floats")
        #expect(
            errorText { _ = try read("cube", 0..<1) }
                == "\(path): tensor “cube” of shape [1, 1, 2] has no rows and columns")
        #expect(set.tensor("missing") == nil)
    }

    @Test func aViewKeepsItsFileMapped() throws {
        let view = try #require(
            try SafetensorsSet(file: folder.write("t.safetensors", SafetensorsBytes.file([.floats("a", [2], [1, 2])])))
                .tensor("a"))
        try folder.remove("t.safetensors")
        #expect(try view.floats() == [1, 2])
    }

    @Test func brokenHeadersAreRefused() throws {
        let entry = SafetensorsBytes.entry
        #expect(
            try refusal([])
                == "FILE is truncated: it has 0 bytes, and a safetensors file starts with 8 that count its header")
        #expect(try refusal([1, 2, 3]).contains("it has 3 bytes"))
        #expect(
            try refusal(SafetensorsBytes.littleEndian(UInt64(1) << 63)).contains(
                "its header has 9223372036854775808 bytes; at most 100000000"))
        #expect(try refusal(SafetensorsBytes.littleEndian(UInt64.max)).contains("18446744073709551615"))
        #expect(
            try refusal(SafetensorsBytes.littleEndian(UInt64(1) << 30)).contains(
                "its header has 1073741824 bytes; at most 100000000"))
        let deep = String(repeating: "[", count: 100_000)
        #expect(try refusal(header: #"{"a":"# + deep, dataByteCount: 0).contains("deep"))
        #expect(
            try refusal(SafetensorsBytes.littleEndian(UInt64(50)) + [0x7B])
                == "FILE is truncated: its header has 50 bytes, the whole file 9")
        #expect(try refusal(header: "", dataByteCount: 0).contains("the header of FILE is not JSON: line 1, column 1"))
        #expect(try refusal(header: "[]", dataByteCount: 0).contains("the header is no object"))
        #expect(try refusal(header: #"{"__metadata__":{"a":1}}"#, dataByteCount: 0).contains("__metadata__"))
        #expect(try refusal(header: #"{"a":3}"#, dataByteCount: 0) == "FILE: header entry “a”: it is no object")
        #expect(
            try refusal(
                header: "{\(entry("a", "F32", "[1]", "[0,4]")),\(entry("a", "F32", "[1]", "[4,8]"))}", dataByteCount: 8
            ).contains("the key “a” stands twice"))
        #expect(
            try refusal(header: "{\(entry("a", "Q4", "[1]", "[0,4]"))}", dataByteCount: 4)
                == "FILE: tensor “a” has the unknown element type “Q4”")
        #expect(
            try refusal(header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, dataByteCount: 4)
                .contains("the field “x” is unknown"))
        #expect(
            try refusal(header: #"{"a":{"dtype":"F32","shape":[1]}}"#, dataByteCount: 4).contains(
                "“data_offsets” is missing"))
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[-1]", "[0,4]"))}", dataByteCount: 4).contains(
                "-1 is no size of a dimension"))
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[1.5]", "[0,4]"))}", dataByteCount: 4).contains("1.5 is no size")
        )
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"))}", dataByteCount: 4).contains(
                "9 dimensions; at most 8"))
    }

    @Test func brokenExtentsAreRefused() throws {
        let entry = SafetensorsBytes.entry
        #expect(try refusal(header: "{\(entry("a", "F32", "[2]", "[0,8]"))}", dataByteCount: 8) == "accepted")
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[2]", "[8,0]"))}", dataByteCount: 8).contains(
                "tensor “a” lies from byte 8 to 0, which is no extent"))
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[2]", "[-8,0]"))}", dataByteCount: 8).contains(
                "not two byte offsets"))
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[2]", "[0,9223372036854775808]"))}", dataByteCount: 8).contains(
                "not two byte offsets"))
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[2]", "[0,9223372036854775807]"))}", dataByteCount: 8).contains(
                "lies in bytes 0..<9223372036854775807 of 8"))
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[2]", "[0,8]"))}", dataByteCount: 7)
                == "FILE is truncated or its header is wrong: tensor “a” lies in bytes 0..<8 of 7")
        #expect(
            try refusal(header: "{\(entry("a", "F32", "[3]", "[0,8]"))}", dataByteCount: 8)
                == "FILE: tensor “a” of shape [3] and type F32 needs 12 bytes, its extent has 8")
        #expect(
            try refusal(header: "{\(entry("a", "F64", "[4611686018427387904,4]", "[0,8]"))}", dataByteCount: 8)
                .contains("has more bytes than can be counted"))
        #expect(
            try refusal(
                header: "{\(entry("a", "U8", "[3]", "[0,3]")),\(entry("b", "U8", "[3]", "[2,5]"))}", dataByteCount: 5)
                == "FILE: tensor “b” starts at byte 2, inside “a”, which ends at 3")
        #expect(
            try refusal(
                header: "{\(entry("a", "U8", "[3]", "[0,3]")),\(entry("b", "U8", "[3]", "[4,7]"))}", dataByteCount: 7)
                == "FILE: tensor “b” starts at byte 4 and leaves a gap from 3")
        #expect(
            try refusal(
                header: "{\(entry("b", "U8", "[3]", "[3,6]")),\(entry("a", "U8", "[3]", "[0,3]"))}", dataByteCount: 6)
                == "accepted")
        #expect(
            try refusal(header: "{\(entry("a", "U8", "[3]", "[0,3]"))}", dataByteCount: 10)
                == "FILE: 7 bytes follow the last tensor")
        #expect(
            try refusal(
                header: "{\(entry("a", "U8", "[1]", "[0,1]")),\(entry("b", "F32", "[1]", "[1,5]"))}", dataByteCount: 5
            ).contains("which is no multiple of the 4 bytes of F32"))
    }

    @Test func filesThatAreNoneAreRefused() throws {
        #expect(
            errorText { _ = try SafetensorsSet(file: folder.path + "/nothing") }
                == "there is no file \(folder.path)/nothing")
        #expect(errorText { _ = try SafetensorsSet(file: folder.path) } == "\(folder.path) is not a regular file")
        #expect(errorText { _ = try SafetensorsSet(file: "a\0b") }?.contains("zero byte") == true)
    }

    @Test func shardsAndTheirIndexMustAgree() throws {
        try folder.write("a.safetensors", SafetensorsBytes.file([.floats("x", [1], [1]), .floats("y", [1], [2])]))
        try folder.write("b.safetensors", SafetensorsBytes.file([.floats("z", [1], [3])]))
        func open(_ index: String) throws -> SafetensorsSet {
            try SafetensorsSet(index: folder.write("i.json", index))
        }
        let set = try open(
            #"{"metadata":{"total_size":12},"weight_map":{"x":"a.safetensors","y":"a.safetensors","z":"b.safetensors"}}"#
        )
        #expect(set.names == ["x", "y", "z"] && set.byteCount == 12)
        #expect(try set.tensor("z")?.floats() == [3])
        let refusals = [
            (#"{"weight_map":{"x":"a.safetensors","z":"b.safetensors"}}"#, "holds tensor “y”, which"),
            (
                #"{"weight_map":{"x":"a.safetensors","y":"a.safetensors","w":"a.safetensors"}}"#,
                "says that tensor “w” is in a.safetensors, but it is not there"
            ),
            (#"{"weight_map":{"x":"c.safetensors"}}"#, "there is no file \(folder.path)/c.safetensors"),
            (
                #"{"weight_map":{"x":"../a.safetensors"}}"#,
                "“../a.safetensors” is not the name of a file in the same folder"
            ),
            (#"{"weight_map":{"x":".."}}"#, "“..” is not the name"),
            (#"{"weight_map":{"x":1}}"#, "tensor “x” is mapped to 1"),
            (#"{"weight_map":{}}"#, "“weight_map” is empty"),
            (#"{}"#, "“weight_map” is missing"),
            (#"{"weight_map""#, "is not JSON: line 1"),
        ]
        for (index, message) in refusals {
            let text = errorText { _ = try open(index) }
            #expect(text?.contains(message) == true, "\(text ?? "accepted")")
        }
        try folder.write("b.safetensors", SafetensorsBytes.file([.floats("x", [1], [3])]))
        #expect(
            errorText {
                _ = try open(#"{"weight_map":{"x":"a.safetensors","y":"a.safetensors","z":"b.safetensors"}}"#)
            }?.contains("“x”") == true)
    }

    /// Any bytes give a set of readable tensors or an error: mutations of the count, the header and the length.
    @Test func mutatedFilesNeverTrap() throws {
        let good = SafetensorsBytes.file([
            .random("model.a", [4, 3], seed: 1), .halves("model.b", type: "BF16", [2, 2], [1, 2, 3, 4]),
            .halves("c", type: "F16", [2], [5, 6]),
        ])
        let headerEnd = good.count - 60
        var generator = SeededGenerator(state: 2)
        var accepted = 0
        for _ in 0..<1500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<min(headerEnd, bytes.count), using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] = UInt8.random(in: 0x30...0x39, using: &generator)
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(UInt8.random(in: 0x20...0x7D, using: &generator), at: place)
                default: bytes.removeSubrange(max(place, 1)...)
                }
            }
            let path = try folder.write("m.safetensors", bytes)
            guard let set = try? SafetensorsSet(file: path) else { continue }
            accepted += 1
            for name in set.names { _ = try? set.tensor(name)?.floats() }
        }
        #expect(accepted > 0 && accepted < 1500)
    }
}
