import Hummingbird
import Logging

/// What a route knows of the connection that a call came on.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The connection's name in the `ConnectionBook`.
    let connection: ObjectIdentifier

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = ObjectIdentifier(source.channel)
    }
}

/// The table of paths.
package typealias GatewayRouter = Hummingbird.Router<GatewayContext>
