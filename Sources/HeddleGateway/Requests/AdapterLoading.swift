import HeddleFiles

/// What a call of `/v1/load_lora_adapter` asks for.
struct AdapterLoading: Sendable {
    let name: String
    /// Where the client believes the adapter to lie.
    let path: String?
    let model: String?
    /// Whether an adapter that is offered is read again.
    let isInPlace: Bool

    init(body: [UInt8], limits: GatewayLimits) throws(HTTPFailure) {
        var reader = FieldReader(try GenerationRequest.object(body, limits: limits))
        name = try Self.name(&reader)
        path = try reader.text("lora_path")
        model = try reader.text("base_model_name")
        isInPlace = try reader.flag("load_inplace") ?? false
        try reader.finish()
    }

    /// What a call of `/v1/unload_lora_adapter` names.
    static func unloaded(body: [UInt8], limits: GatewayLimits) throws(HTTPFailure) -> String {
        var reader = FieldReader(try GenerationRequest.object(body, limits: limits))
        let name = try Self.name(&reader)
        let number = UnsupportedField("lora_int_id", "adapters are known by their names")
        try number.check(&reader)
        try reader.finish()
        return name
    }

    private static func name(_ reader: inout FieldReader) throws(HTTPFailure) -> String {
        guard let name = try reader.text("lora_name"), !name.isEmpty else {
            throw .invalid("lora_name", "lora_name is missing")
        }
        return name
    }
}
