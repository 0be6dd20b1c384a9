import HeddleCore

/// The four bytes in front of every message on the client and inspection sockets: which socket, version, kind.
struct FrameHeader {
    static let byteCount = 4
    static let version: UInt8 = 1
    static let client: UInt8 = UInt8(ascii: "C")
    static let inspection: UInt8 = UInt8(ascii: "I")

    static func bytes(_ socket: UInt8, kind: UInt8) -> [UInt8] { [UInt8(ascii: "H"), socket, version, kind] }

    /// The kind and payload of a message, or a sentence about what is wrong with its frames.
    static func read(
        _ frames: [[UInt8]], socket: UInt8, payloadByteCountMax: Int
    ) throws(ClientFrameError) -> (kind: UInt8, payload: [UInt8]) {
        guard frames.count == 2 else {
            throw ClientFrameError("a message has 2 frames, header and payload; this one has \(frames.count)")
        }
        let (header, payload) = (frames[0], frames[1])
        guard header.count == byteCount else {
            throw ClientFrameError("the header has \(byteCount) bytes; this one has \(header.count)")
        }
        guard header[0] == UInt8(ascii: "H"), header[1] == socket else {
            throw ClientFrameError("the header does not begin with “H\(Character(UnicodeScalar(socket)))”")
        }
        guard header[2] == version else {
            throw ClientFrameError("protocol version \(header[2]) is not spoken here; version \(version) is")
        }
        guard payload.count <= payloadByteCountMax else {
            throw ClientFrameError("the payload has \(payload.count) bytes; at most \(payloadByteCountMax) are allowed")
        }
        return (header[3], payload)
    }
}

/// A message from outside that cannot be taken, with the request that it names where that much could be read.
public struct ClientFrameError: Error, Hashable, Sendable, CustomStringConvertible {
    public var requestID: RequestID?
    public var error: RequestError

    public init(requestID: RequestID?, error: RequestError) {
        self.requestID = requestID
        self.error = error
    }

    init(_ reason: String, requestID: RequestID? = nil) {
        self.init(requestID: requestID, error: .protocolViolation(reason: reason))
    }

    public var description: String { error.description }

    /// What to answer the sender.
    public var failure: RequestFailure { RequestFailure(id: requestID, error) }
}
