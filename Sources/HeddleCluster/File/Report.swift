import Yams

/// Collects the complaints about one file while it is read.
final class Report {
    let file: String
    private(set) var complaints: [Complaint] = []
    /// After this many the rest is not interesting to anybody.
    static let complaintCountMax = 200

    init(file: String) { self.file = file }

    func complain(_ mark: Mark?, _ key: String, _ text: String) {
        guard complaints.count < Self.complaintCountMax else { return }
        complaints.append(
            Complaint(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, key: key, text: text))
    }

    func complain<Value>(_ value: Located<Value>, _ text: String) { complain(value.mark, value.key, text) }
}

/// A value and where it was written, for complaints that only a comparison with other values finds.
struct Located<Value> {
    var value: Value
    var mark: Mark?
    var key: String
}

extension Located: Equatable where Value: Equatable {
    static func == (left: Self, right: Self) -> Bool { left.value == right.value }
}
