/// What the transport refuses or cannot do; each case carries the numbers or names that a person needs.
public enum TransportError: Error, Hashable, Sendable {
    case endpointInvalid(endpoint: String, reason: String)
    /// A bind on every interface: name one address.
    case wildcardBind(endpoint: String)
    /// Plain TCP beyond loopback, which must be asked for.
    case insecureEndpoint(endpoint: String)
    case addressInUse(endpoint: String)
    /// The folder of a local socket is not the caller's alone.
    case folderNotPrivate(path: String, reason: String)
    case backPressure(bytesQueued: Int, bytesMax: Int)
    case messageTooLarge(byteCount: Int, byteCountMax: Int)
    /// The peer is gone, or was never there.
    case unreachable
    case timedOut(after: Duration)
    case closed
    /// libzmq took another value for an option than the one it was given.
    case optionNotTaken(name: String, wanted: Int, actual: Int)
    case systemError(call: String, code: Int32, text: String)
}

extension TransportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .endpointInvalid(let endpoint, let reason): "“\(endpoint)” is no endpoint: \(reason)"
        case .wildcardBind(let endpoint): "“\(endpoint)” would listen on every interface; name one address"
        case .insecureEndpoint(let endpoint):
            "“\(endpoint)” is plain TCP beyond loopback, which the cluster file must allow with “insecure: true”"
        case .addressInUse(let endpoint): "“\(endpoint)” is already in use"
        case .folderNotPrivate(let path, let reason): "the folder “\(path)” cannot hold a socket: \(reason)"
        case .backPressure(let queued, let max): "\(queued) bytes already wait for the peer; at most \(max) may"
        case .messageTooLarge(let count, let max): "the message has \(count) bytes; at most \(max) are allowed"
        case .unreachable: "the peer is not connected"
        case .timedOut(let after): "nothing happened within \(after)"
        case .closed: "the socket is closed"
        case .optionNotTaken(let name, let wanted, let actual): "\(name) was set to \(wanted) and is \(actual)"
        case .systemError(let call, let code, let text): "\(call) failed with error \(code): \(text)"
        }
    }
}
