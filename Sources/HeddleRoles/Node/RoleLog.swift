import Logging

/// Where a role writes what a person at 3 a.m. wants to have been told. Never a prompt, a completion or a key.
struct RoleLog: Sendable {
    private let logger: Logger

    init(_ logger: Logger, actor: String) {
        var logger = logger
        logger[metadataKey: "actor"] = "\(actor)"
        self.logger = logger
    }

    func info(_ message: @autoclosure () -> String) { logger.info("\(message())") }
    func warn(_ message: @autoclosure () -> String) { logger.warning("\(message())") }
    func error(_ message: @autoclosure () -> String) { logger.error("\(message())") }
}
