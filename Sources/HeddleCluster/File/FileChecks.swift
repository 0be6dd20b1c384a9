import Foundation

/// Looks whether the folders that a cluster file names hold what a model and an adapter need; the engine reads them
/// later.
struct FileChecks {
    let report: Report
    let document: Document

    func run() {
        for model in document.models {
            let directory = model.value.model.directory
            guard isFolder(directory, model.value.path) else { continue }
            for file in ["config.json", "tokenizer.json"] { check(file, in: directory, model.value.path) }
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            if !files.contains(where: { $0.hasSuffix(".safetensors") }) {
                report.complain(model.value.path, "“\(directory)” has no file *.safetensors")
            }
        }
        for adapter in document.adapters {
            let directory = adapter.value.adapter.directory
            guard isFolder(directory, adapter.value.path) else { continue }
            for file in ["adapter_config.json", "adapter_model.safetensors"] {
                check(file, in: directory, adapter.value.path)
            }
        }
        for file in document.nodes.flatMap({ [$0.value.certificate, $0.value.certificateKey] }) {
            guard let file, !FileManager.default.isReadableFile(atPath: file.value) else { continue }
            report.complain(file, "“\(file.value)” cannot be read")
        }
    }

    private func isFolder(_ path: String, _ place: Located<String>) -> Bool {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            return true
        }
        report.complain(place, "there is no folder “\(path)”")
        return false
    }

    private func check(_ file: String, in directory: String, _ place: Located<String>) {
        if !FileManager.default.isReadableFile(atPath: "\(directory)/\(file)") {
            report.complain(place, "“\(directory)” has no readable file \(file)")
        }
    }
}
