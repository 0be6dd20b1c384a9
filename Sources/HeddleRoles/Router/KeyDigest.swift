import Crypto
import HeddleCore

/// Keys are compared and kept as their SHA-256 alone.
enum KeyDigest {
    static func of(_ key: String) -> HeddleCore.Digest? { HeddleCore.Digest(Array(SHA256.hash(data: Array(key.utf8)))) }
}
