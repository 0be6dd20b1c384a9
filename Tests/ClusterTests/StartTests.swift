import Foundation
import HeddleCore
import Testing

extension WholeMesh {
    /// Meshes that cannot start say why, soon, and leave nothing.
    @Suite struct StartTests {
        /// Writes a cluster file, changes it, and runs `heddle up` to its end.
        private func up(
            _ folder: TemporaryFolder, changing change: (String) -> String = { $0 }
        ) async throws -> (StartedProcess.Ended, file: String) {
            let file = try RunningMesh.write(.frontAndTwoRanks, in: folder, changing: change)
            let ended = try await HeddleProgram.run(["up", "-c", file], within: .seconds(20))
            return (ended, file)
        }

        private func expectNoProcess(of file: String) throws {
            for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") where pid_t(entry) != nil {
                guard let bytes = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else { continue }
                #expect(bytes.firstRange(of: Data(file.utf8)) == nil, "process \(entry) is left")
            }
        }

        @Test(.timeLimit(.minutes(1))) func aPortThatIsTakenIsNamed() async throws {
            let holder = try PortHolder()
            let folder = try TemporaryFolder()
            let file = try folder.write(
                try Topology.frontAndTwoRanks.text(runtime: "\(folder.path)/run", port: holder.port), to: "mesh.yaml")
            for words in [["up", "-c", file], ["up", "--detach", "-c", file], ["node", "-c", file, "--name", "front"]] {
                let ended = try await HeddleProgram.run(words, within: .seconds(20))
                #expect(ended.code == 2)
                #expect(ended.errors.contains("\(holder.port)"), "\(ended.errors)")
            }
            try expectNoProcess(of: file)
        }

        @Test(.timeLimit(.minutes(1)), arguments: ["tokenizer.json", "config.json"])
        func aModelWithoutAFileIsNamed(file name: String) async throws {
            let folder = try TemporaryFolder()
            let model = try folder.copy(Topology.model, as: "model")
            try FileManager.default.removeItem(atPath: "\(model)/\(name)")
            let (ended, file) = try await up(folder) { $0.replacing("path: \(Topology.model)", with: "path: \(model)") }
            #expect(ended.code == 2)
            #expect(ended.errors.contains(name), "\(ended.errors)")
            try expectNoProcess(of: file)
        }

        @Test(.timeLimit(.minutes(1)), arguments: [false, true])
        func aTruncatedModelIsNamed(isDetached: Bool) async throws {
            let folder = try TemporaryFolder()
            let model = try folder.copy(Topology.model, as: "model")
            let weights = try FileManager.default.contentsOfDirectory(atPath: model).filter { $0.hasSuffix(".safetensors") }
            let path = "\(model)/\(try #require(weights.min()))"
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
            let file = try RunningMesh.write(.frontAndTwoRanks, in: folder) {
                $0.replacing("path: \(Topology.model)", with: "path: \(model)")
            }
            let words = isDetached ? ["up", "--detach", "-c", file] : ["up", "-c", file]
            let ended = try await HeddleProgram.run(words, within: .seconds(20))
            #expect(ended.code == 2)
            #expect(ended.errors.contains("safetensors"), "\(ended.errors)")
            try expectNoProcess(of: file)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/run") == ["logs"])
        }

        @Test(.timeLimit(.minutes(1))) func mistakesInTheFileHaveLineAndColumn() async throws {
            let changes = [
                ("  - name: worker-0\n", "  - name: worker-0\n    colour: red\n", "colour"),
                ("ranks: [worker-0, worker-1]", "ranks: [worker-0, worker-9]", "worker-9"),
                ("threads: 1", "threads: many", "threads"), ("threads: 1", "threads: 1\n    threads: 2", "threads"),
                ("{name: sql, model: demo,", "{name: sql, model: demi,", "demi"),
                ("kvTokens: 65536", "kvTokens: 7", "kvTokens"), ("cluster: demo", "cluster: [", ""),
                ("tcp://127.0.0.1:", "tcp://0.0.0.0:", "insecure"), ("roles: [router,", "roles: [ruoter,", "ruoter"),
                ("/demo/model", "/demo/no-model", "no-model"),
            ]
            for (old, new, word) in changes {
                let folder = try TemporaryFolder()
                let (ended, file) = try await up(folder) { text in
                    #expect(text.contains(old), "\(old)")
                    return text.replacing(old, with: new, maxReplacements: 1)
                }
                let check = try await HeddleProgram.run(["config", "check", file])
                for ended in [ended, check] {
                    #expect(ended.code == 2, "\(new): \(ended.output)\(ended.errors)")
                    #expect(ended.errors.contains(word), "\(new): \(ended.errors)")
                    #expect(ended.errors.contains(#/mesh\.yaml:\d+:\d+: /#), "\(new): \(ended.errors)")
                }
                let json = try await HeddleProgram.run(["config", "check", "--json", file])
                let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
                #expect(json.code == 2 && object?["ok"] as? Bool == false)
            }
        }

        @Test(.timeLimit(.minutes(1))) func whatIsNotThereIsNotFound() async throws {
            for words in [
                ["up", "-c", "/nowhere/mesh.yaml"], ["config", "check", "/nowhere/mesh.yaml"],
                ["down", "-c", "/nowhere/mesh.yaml"], ["node", "-c", "/nowhere/mesh.yaml", "--name", "x"],
            ] {
                let ended = try await HeddleProgram.run(words)
                #expect(ended.code == 1, "\(words)")
                #expect(ended.errors.contains("/nowhere/mesh.yaml"), "\(ended.errors)")
            }
            let folder = try TemporaryFolder()
            let file = try RunningMesh.write(.frontAndTwoRanks, in: folder)
            let node = try await HeddleProgram.run(["node", "-c", file, "--name", "nobody"])
            #expect(node.code == 1 && node.errors.contains("nobody") && node.errors.contains("worker-1"))
            // A mesh that is not up: nobody answers, and everybody is named.
            let status = try await HeddleProgram.run(["status", "-c", file, "--timeout", "0.3"])
            #expect(status.code == 2 && status.output.contains("0 of 3 nodes answer"), "\(status.output)")
            let usage = try await HeddleProgram.run(["get", "everything", "-c", file])
            #expect(usage.code == 64)
            let sound = try await HeddleProgram.run(["config", "check", file])
            #expect(sound.code == 0 && sound.output.contains("sound"), "\(sound.errors)")
        }
    }
}
