import HeddleCore
import HeddleRoles

/// One call that the router answers: its client, and what is to be undone when it ends, whichever way that is.
final class Call: Sendable {
    let client: LocalClient
    private let core: GatewayCore
    private let connection: ObjectIdentifier
    /// Its number on the connection.
    private let number: Int

    /// - Throws: where the node ends.
    init(_ core: GatewayCore, on connection: ObjectIdentifier) throws(HTTPFailure) {
        self.core = core
        self.connection = connection
        let client = core.front.connect()
        guard core.calls.began(client) else {
            client.leave()
            throw HTTPFailure(.shuttingDown)
        }
        self.client = client
        number = core.connections.watch(connection) { client.leave() }
    }

    deinit {
        core.connections.release(connection, call: number)
        core.calls.ended(client)
        client.leave()
    }
}
