import Foundation
import HeddleCore

import struct Crypto.SHA256

/// Reads a tenant's key: a digest, a file, or (only in an insecure cluster) the key itself.
struct KeyReader {
    let report: Report
    let paths: FilePaths
    let isInsecure: Bool

    /// The longest key in bytes.
    static let keyByteCountMax = 1024
    private static let prefix = "sha256:"

    func digest(_ tenant: MappingReader) -> Located<Digest>? {
        if tenant.has("key"), tenant.has("keyFile") {
            tenant.complain("keyFile", "stands beside key; give one of them")
            return nil
        }
        if tenant.has("keyFile") { return fileDigest(tenant) }
        guard let text = tenant.text("key", isNeeded: true) else { return nil }
        if text.value.hasPrefix(Self.prefix) {
            guard let digest = Self.digest(hexadecimal: text.value.dropFirst(Self.prefix.count)) else {
                report.complain(text, "must have 64 hexadecimal digits after “sha256:”")
                return nil
            }
            return Located(value: digest, mark: text.mark, key: text.key)
        }
        let digest = Self.digest(key: text.value)
        guard isInsecure else {
            report.complain(text, "is the key itself; write its digest, \"sha256:\(digest)\", or use keyFile")
            return nil
        }
        return Located(value: digest, mark: text.mark, key: text.key)
    }

    private func fileDigest(_ tenant: MappingReader) -> Located<Digest>? {
        guard let path = tenant.text("keyFile") else { return nil }
        let resolved = paths.absolute(path.value)
        guard let handle = FileHandle(forReadingAtPath: resolved),
            let data = try? handle.read(upToCount: Self.keyByteCountMax + 1)
        else {
            report.complain(path, "“\(resolved)” cannot be read")
            return nil
        }
        try? handle.close()
        let key = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, data.count <= Self.keyByteCountMax, !key.contains("\n") else {
            report.complain(path, "“\(resolved)” must hold one line of 1 to \(Self.keyByteCountMax) bytes")
            return nil
        }
        return Located(value: Self.digest(key: key), mark: path.mark, key: path.key)
    }

    /// What a router compares: SHA-256 of the key's bytes.
    static func digest(key: String) -> Digest {
        guard let digest = Digest(Array(SHA256.hash(data: Data(key.utf8)))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return digest
    }

    private static func digest(hexadecimal text: Substring) -> Digest? {
        guard text.utf8.count == 2 * Digest.byteCount else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = Character(UnicodeScalar(high)).hexDigitValue,
                let low = Character(UnicodeScalar(low)).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return Digest(bytes)
    }
}

extension ClusterConfiguration {
    /// SHA-256 of a tenant's key, as the cluster file and the routers keep it.
    public static func digest(ofKey key: String) -> Digest { KeyReader.digest(key: key) }

    /// The tenant whose key this is. Takes the same time whichever tenant it is, or none.
    public func tenant(holding key: String) -> Tenant? {
        let digest = Self.digest(ofKey: key)
        var found: Tenant?
        for tenant in tenants where Self.areEqual(tenant.keyDigest, digest) { found = tenant }
        return found
    }

    /// Whether this is the key of those who may administer; nil where there is none.
    public func isAdminKey(_ key: String) -> Bool? {
        adminKeyDigest.map { Self.areEqual($0, Self.digest(ofKey: key)) }
    }

    /// Takes the same time wherever they differ.
    private static func areEqual(_ left: Digest, _ right: Digest) -> Bool {
        zip(left.words, right.words).reduce(UInt64(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
