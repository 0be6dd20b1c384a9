import CZeroMQ

/// Which libzmq this process runs with.
public enum ZeroMQLibrary {
    /// The version of the loaded library, such as (4, 3, 4).
    public static var loadedVersion: (major: Int, minor: Int, patch: Int) {
        var (major, minor, patch) = (Int32(0), Int32(0), Int32(0))
        zmq_version(&major, &minor, &patch)
        return (Int(major), Int(minor), Int(patch))
    }

    /// Whether the library can encrypt connections (CURVE).
    public static var hasCurve: Bool { zmq_has("curve") == 1 }
}
