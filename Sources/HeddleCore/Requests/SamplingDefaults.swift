/// What a model's own files say of how its tokens are drawn, as far as a request does not say it.
///
/// This is where defaults of a model come in: every way to run a request, over the mesh or without it, completes the client's
/// parameters here and nowhere else. What a client leaves out is for now the same for every model; end tokens alone are not.
public struct SamplingDefaults: Hashable, Sendable {
    /// Tokens that end an answer unless the request ignores them.
    public var endTokens: [TokenID]

    public init(endTokens: [TokenID]) { self.endTokens = endTokens }
}

extension SamplingParameters {
    /// These parameters as they are run: checked before, complete after.
    public func completed(by defaults: SamplingDefaults) -> SamplingParameters {
        var parameters = self
        if !ignoresEndTokens {
            for token in defaults.endTokens where !parameters.stopTokens.contains(token) {
                parameters.stopTokens.append(token)
            }
        }
        return parameters
    }
}
