import HeddleActors

/// Begins work that goes on after the remote call in which it was decided: a task that is started in the body does not
/// inherit that call's deadline, which would fail each of its own calls from then on.
@discardableResult
func outliving<Result>(_ body: () throws -> Result) rethrows -> Result {
    try CallContext.$current.withValue(CallContext(), operation: body)
}
