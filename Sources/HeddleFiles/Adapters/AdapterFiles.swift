import HeddleCore

/// Owns what an adapter's folder holds, adapter_config.json and adapter_model.safetensors, read into memory: people may
/// write into the files at any time.
struct AdapterFiles {
    /// As it was given.
    let path: String
    let config: MappedFile
    let weights: SafetensorsSet

    init(path: String, limits: AdapterLimits) throws(AdapterFileError) {
        self.path = path
        let folder = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
        do {
            config = try MappedFile(
                path: folder + "adapter_config.json", byteCountMax: limits.configByteCountMax, use: .copied)
        } catch { throw .file(error) }
        do {
            weights = try SafetensorsSet(
                copying: folder + "adapter_model.safetensors", byteCountMax: limits.weightsByteCountMax)
        } catch {
            guard case .file(let missing) = error else { throw .safetensors(error) }
            if case .missing = missing, (try? MappedFile(path: folder + "adapter_model.bin")) != nil {
                throw .pickled(file: folder + "adapter_model.bin")
            }
            throw .file(missing)
        }
    }

    /// What adapter_config.json holds.
    func object() throws(AdapterFileError) -> JSONObject {
        let value: JSONValue
        do throws(JSONError) {
            value = try config.withUnsafeBytes { (bytes) throws(JSONError) in try JSONParser.parse(bytes) }
        } catch { throw .notJSON(file: config.path, error) }
        guard case .object(let object) = value else { throw .notAnObject(file: config.path) }
        return object
    }

    /// See `AdapterFolder.digest`.
    func digest() -> Digest {
        var writer = DigestWriter()
        writer.add(name: "adapter_config.json", content: config)
        for file in weights.files { writer.add(name: "adapter_model.safetensors", content: file) }
        return writer.finish()
    }
}
