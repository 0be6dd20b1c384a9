/// Decides when a rendering has cost enough: every step and every byte made is counted here.
struct Meter {
    let stepCountMax: Int
    private(set) var stepCount = 0

    /// - Returns: whether the steps are still within the limit.
    mutating func spend(_ count: Int) -> Bool {
        let (sum, isOver) = stepCount.addingReportingOverflow(max(0, count))
        stepCount = isOver ? .max : sum
        return stepCount <= stepCountMax
    }
}
