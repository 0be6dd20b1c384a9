import HeddleCore
import Logging

/// Where a role tells what a person at 3 a.m. wants to have been told: its node's log, and, where it bears a kind, its node's
/// events. Never a prompt, a completion or a key.
struct RoleLog: Sendable {
    private let logger: Logger
    let journal: Journal
    /// As `heddle describe actor` takes it.
    let actor: String

    init(_ logger: Logger, actor: String, journal: Journal) {
        var logger = logger
        logger[metadataKey: "actor"] = "\(actor)"
        self.logger = logger
        self.actor = actor
        self.journal = journal
    }

    func info(_ message: String) { tell(.info, nil, "", nil, message) }
    func warn(_ message: String) { tell(.warning, nil, "", nil, message) }
    func error(_ message: String) { tell(.error, nil, "", nil, message) }

    func info(_ kind: Notice.Kind, about subject: String, request: RequestID? = nil, _ message: String) {
        tell(.info, kind, subject, request, message)
    }

    func warn(_ kind: Notice.Kind, about subject: String, request: RequestID? = nil, _ message: String) {
        tell(.warning, kind, subject, request, message)
    }

    func error(_ kind: Notice.Kind, about subject: String, request: RequestID? = nil, _ message: String) {
        tell(.error, kind, subject, request, message)
    }

    private func tell(
        _ level: Notice.Level, _ kind: Notice.Kind?, _ subject: String, _ request: RequestID?, _ message: String
    ) {
        journal.tell(Notice(level, kind, actor: actor, subject: subject, request: request, text: message))
        var metadata: Logger.Metadata = [:]
        if let kind { metadata["event"] = "\(kind.rawValue)" }
        if !subject.isEmpty { metadata["subject"] = "\(subject)" }
        if let request { metadata["request"] = "\(request)" }
        let severity: Logger.Level =
            switch level {
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        logger.log(level: severity, "\(message)", metadata: metadata)
    }
}
