import ArgumentParser
import Foundation
import HeddleCore

/// Whom a request is put to, by whom, and for how long: what `submit` and `chat` share.
struct AskingOptions: ParsableArguments {
    @Option(help: "Where a router listens for clients, instead of the cluster file's; may be given several times.")
    var endpoint: [String] = []

    @Option(help: "An adapter, a base model, or base:adapter. Without it: the only base model.")
    var model: String = ""

    @Option(name: .customLong("key"), help: "The tenant's key. Without it: the environment variable HEDDLE_KEY.")
    var givenKey: String?

    @Option(name: .customLong("tenant"), help: "The tenant. Without it: whoever the key belongs to.")
    var givenTenant: String?

    @Option(help: ArgumentHelp("How long an answer may take, in seconds.", valueName: "seconds"))
    var deadline: Double = 300

    var key: String? { givenKey ?? ProcessInfo.processInfo.environment["HEDDLE_KEY"] }
    var tenant: TenantName? { givenTenant.map { TenantName($0) } }

    func validate() throws {
        guard deadline > 0, deadline <= 3600 else {
            throw ValidationError("--deadline must be above 0 and at most 3600 seconds")
        }
        if let givenTenant, !TenantName.isValid(givenTenant) {
            throw ValidationError("--tenant must be 1 to 128 letters, digits, “-”, “_” or “.”")
        }
    }
}
