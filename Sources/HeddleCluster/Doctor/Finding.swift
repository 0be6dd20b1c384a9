/// What one check of the machine or the cluster file found.
public struct Finding: Hashable, Sendable {
    /// How bad it is.
    public enum Level: String, Hashable, Sendable, Comparable {
        case ok
        /// It works, but worse than it could.
        case warn
        /// A mesh will not start or not serve.
        case fail

        public static func < (left: Level, right: Level) -> Bool { left.order < right.order }
        private var order: Int {
            switch self {
            case .ok: 0
            case .warn: 1
            case .fail: 2
            }
        }
    }

    public var level: Level
    /// What was checked, such as `libzmq`.
    public var subject: String
    /// What was found.
    public var text: String
    /// What to do about it; nil where nothing is to be done.
    public var advice: String?

    public init(_ level: Level, _ subject: String, _ text: String, advice: String? = nil) {
        self.level = level
        self.subject = subject
        self.text = text
        self.advice = advice
    }
}
