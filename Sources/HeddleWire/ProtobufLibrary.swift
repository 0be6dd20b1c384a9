import CProtobufC

/// Which libprotobuf-c this process runs with.
public enum ProtobufLibrary {
    /// The version of the loaded library, such as (1, 4, 1).
    public static var loadedVersion: (major: Int, minor: Int, patch: Int) {
        let number = Int(protobuf_c_version_number())
        return (number / 1_000_000, number / 1000 % 1000, number % 1000)
    }
}
