import Foundation
import HeddleFiles
import Testing

/// A remembered digest is believed only where every file is the one that was hashed.
@Suite struct ModelDigestMemoryTests {
    /// A copy of the demo model in a folder of its own, and a memory beside it.
    private func withModel(_ body: (_ folder: String, _ memory: ModelDigestMemory) throws -> Void) throws {
        let demo = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Cluster/demo/model")
        let folder = FileManager.default.temporaryDirectory.appending(path: "heddle-memory-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = folder.appending(path: "model").path()
        try FileManager.default.copyItem(at: demo.resolvingSymlinksInPath(), to: URL(filePath: model))
        try body(model, ModelDigestMemory(directory: folder.appending(path: "digests").path()))
    }

    private var later: Int { time(nil) + 60 }

    private func read(_ folder: String, _ memory: ModelDigestMemory, seconds: Int) throws -> (String, Int) {
        var byteCount = 0
        let digest = memory.digest(of: try ModelFolder(path: folder), seconds: seconds) { byteCount += $0 }
        return (digest.description, byteCount)
    }

    @Test func theSecondTimeNothingIsRead() throws {
        try withModel { folder, memory in
            let model = try ModelFolder(path: folder)
            let first = try read(folder, memory, seconds: later)
            #expect(first == (model.digest().description, model.digestedByteCount))
            #expect(try read(folder, memory, seconds: later) == (first.0, 0))
            #expect(memory.recalled(model)?.description == first.0)
            // By another way to the same folder too.
            try FileManager.default.createSymbolicLink(atPath: folder + "-link", withDestinationPath: folder)
            #expect(memory.recalled(try ModelFolder(path: folder + "-link"))?.description == first.0)
        }
    }

    /// The same size, and the time of change put back: the content is another all the same.
    @Test func aChangeIsNoticedWhateverItsTimeSays() throws {
        try withModel { folder, memory in
            let first = try read(folder, memory, seconds: later)
            let path = folder + "/model-00001-of-00002.safetensors"
            let time = try #require(
                FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seekToEnd()
            try file.seek(toOffset: file.offsetInFile - 1)
            try file.write(contentsOf: Data([0x3C]))
            try file.close()
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
            let second = try read(folder, memory, seconds: later)
            #expect(second.0 != first.0 && second.1 > 0)
        }
    }

    /// A file that changed this very second may change again without another time.
    @Test func whatHasJustChangedIsNotRemembered() throws {
        try withModel { folder, memory in
            _ = try read(folder, memory, seconds: time(nil))
            #expect(memory.recalled(try ModelFolder(path: folder)) == nil)
        }
    }

    @Test func aSpoiledNoteIsNoNote() throws {
        try withModel { folder, memory in
            let first = try read(folder, memory, seconds: later)
            let note = try #require(FileManager.default.contentsOfDirectory(atPath: memory.directory).first)
            let path = memory.directory + "/" + note
            let whole = try String(contentsOfFile: path, encoding: .utf8)
            let spoiled = [
                "", "heddle", whole.replacing(first.0, with: "12"),
                whole.replacing(first.0, with: String(repeating: "z", count: 64)),
                whole + "x", String(whole.dropLast()), whole.replacing("digest 1", with: "digest 2"),
            ]
            for text in spoiled {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                #expect(memory.recalled(try ModelFolder(path: folder)) == nil, "\(text)")
            }
            #expect(try read(folder, memory, seconds: later).0 == first.0)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
        }
    }

    @Test func theOldestNotesGo() throws {
        try withModel { folder, memory in
            let small = ModelDigestMemory(directory: memory.directory, noteCountMax: 2)
            for number in 0..<4 {
                try FileManager.default.copyItem(atPath: folder, toPath: folder + "-\(number)")
                _ = try read(folder + "-\(number)", small, seconds: later)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: memory.directory).count == 2)
            #expect(small.recalled(try ModelFolder(path: folder + "-3")) != nil)
        }
    }
}
