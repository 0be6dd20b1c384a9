import NIOCore
import Synchronization

/// Knows the connections that are open, and tells the call that one carries when its client has gone.
///
/// Over HTTP/1.1 a connection carries one call at a time. A client that closes only its own direction has gone too: nobody
/// can tell it from one that has closed both.
final class ConnectionBook: Sendable {
    private struct Entry {
        var isClosed = false
        /// How many calls have been watched.
        var callCount = 0
        var whenGone: (@Sendable () -> Void)?
    }

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    var connectionCount: Int { entries.withLock { $0.count } }

    /// Calls `whenGone` once when the client of this connection goes, at once where it has gone already.
    ///
    /// - Returns: the call's number on this connection.
    func watch(_ connection: ObjectIdentifier, whenGone: @escaping @Sendable () -> Void) -> Int {
        let number = entries.withLock { entries -> Int? in
            guard var entry = entries[connection], !entry.isClosed else { return nil }
            entry.callCount += 1
            entry.whenGone = whenGone
            entries[connection] = entry
            return entry.callCount
        }
        if number == nil { whenGone() }
        return number ?? 0
    }

    /// The call of this number has its answer; the connection may carry the next one already.
    func release(_ connection: ObjectIdentifier, call number: Int) {
        entries.withLock { entries in
            if entries[connection]?.callCount == number { entries[connection]?.whenGone = nil }
        }
    }

    fileprivate func opened(_ connection: ObjectIdentifier) { entries.withLock { $0[connection] = Entry() } }

    fileprivate func closed(_ connection: ObjectIdentifier) {
        let whenGone = entries.withLock { entries in
            defer {
                entries[connection]?.isClosed = true
                entries[connection]?.whenGone = nil
            }
            return entries[connection]?.whenGone
        }
        whenGone?()
    }

    fileprivate func forgotten(_ connection: ObjectIdentifier) { entries.withLock { $0[connection] = nil } }
}

/// One connection's entry in the book.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    private let book: ConnectionBook

    init(_ book: ConnectionBook) { self.book = book }

    func handlerAdded(context: ChannelHandlerContext) { book.opened(ObjectIdentifier(context.channel)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { book.closed(ObjectIdentifier(context.channel)) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        book.closed(ObjectIdentifier(context.channel))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { book.forgotten(ObjectIdentifier(context.channel)) }
}
