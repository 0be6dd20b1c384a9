import HeddleActors
import HeddleCore
import HeddleFiles
import HeddleWire

/// What clients say on the client socket, and what they hear.
extension Router {
    /// Takes in one message of the client socket, in the order in which they came.
    func heard(_ event: ClientPort.Event) {
        switch event {
        case .lost(let routingID):
            if let client = sessions.lost(routingID) { carry(table.clientGone(client, now: now())) }
        case .message(let routingID, let frames):
            switch sessions.heard(routingID, at: now()) {
            case .refused(let error): port.send(to: routingID, ClientReply(id: nil, error: error))
            case .known(let client), .new(let client): read(frames, from: client)
            }
        }
        publishIfDue()
    }

    private func read(_ frames: [[UInt8]], from client: ClientRef) {
        let message: ClientMessage
        do { message = try ClientMessage(frames: frames, limits: place.clientLimits) } catch {
            return send(client, .failed(error.failure))
        }
        switch message {
        case .submit(let submission): submit(submission, from: client)
        case .cancel(let request):
            if admitting[request] != nil { admitting[request] = true }
            carry(table.cancel(request, client: client, now: now()))
        case .credit(let request, let count):
            carry(table.credit(request, client: client, tokenCount: count, now: now()))
        case .ping(let number):
            send(client, .pong(number: number, incarnation: reference.incarnation, session: client))
        }
    }

    /// Checks and tokenises beside the actor: a long prompt holds up nobody.
    private func submit(_ submission: ClientSubmission, from client: ClientRef) {
        guard admitting.count < place.admittingCountMax, admitting[submission.id] == nil else {
            return send(client, ClientReply(id: submission.id, error: .busy(retryAfter: .milliseconds(250))))
        }
        admitting[submission.id] = false
        Task {
            let started = now()
            var tenant: TenantTable.Tenant?
            do {
                tenant = try admission.tenants.authenticate(
                    name: submission.tenant, keyDigest: submission.key.flatMap { KeyDigest.of($0) })
                guard let tenant else { return }
                let name = try await describe(submission, for: tenant)
                var draft = try await draft(submission, model: name)
                let isCancelled = admitting.removeValue(forKey: submission.id) ?? false
                if isCancelled { throw RequestError.cancelled }
                // A client that went meanwhile is told nothing, and nothing is run for it.
                guard sessions.routingID(of: client) != nil else { return }
                let deadline = draft.deadline
                draft.deadline -= now().duration(since: started)
                guard draft.deadline > .zero else { throw RequestError.deadlineExceeded(after: deadline) }
                let admitted = try admission.admit(draft, tenant: tenant)
                echoesPrompt = submission.echoesPrompt
                defer { echoesPrompt = false }
                carry(
                    table.submit(
                        admitted, client: client, credit: submission.creditTokens ?? place.clientLimits.creditTokensMax,
                        resumeFrom: submission.resumeFrom, tenantRequestCountMax: tenant.requestCountMax, now: now()))
            } catch {
                admitting[submission.id] = nil
                let reason = error as? RequestError ?? .noCapacity(reason: "\(error)")
                if let tenant { usageByTenant[tenant.name, default: TenantUsage()].refusedCount += 1 }
                log.info("request \(submission.id) was refused: \(reason.code)")
                send(client, ClientReply(id: submission.id, error: reason))
            }
            publishIfDue()
        }
    }

    /// Resolves what the client calls its model, and has its adapter described where that is older than a moment.
    ///
    /// - Returns: a name that the catalogue knows.
    private func describe(_ submission: ClientSubmission, for tenant: TenantTable.Tenant) async throws -> String {
        let text = submission.model
        let name: String
        if text.isEmpty {
            guard let only = place.models.keys.first, place.models.count == 1 else { throw RequestError.unknownModel(text) }
            name = only.text
        } else {
            name = text
        }
        guard let named = place.adapter(named: name) else { return name }
        guard tenant.permission.allows(named.model, adapter: named.name) else {
            throw RequestError.notPermitted(tenant: tenant.name, model: name)
        }
        if let moment = described[named.name], now().duration(since: moment) < place.descriptionAge { return name }
        let cache = try AdapterCache.resolve(id: place.cache, using: actorSystem)
        let (adapter, model) = (named.name, named.model)
        let reference: AdapterRef
        do {
            let patience = min(submission.deadline ?? place.descriptionPatience, place.descriptionPatience)
            reference = try await persevering(
                for: patience, while: { admitting[submission.id] == false && described[adapter] == nil }
            ) {
                try await withDeadline(patience) { try await cache.describe(adapter, model: model) }
            }
        } catch is RemoteCallError where described[adapter] != nil {
            // The cache is away: what it said last holds until it is back.
            return name
        } catch let error as RequestError {
            admission.catalogue.removeAdapter(adapter, model: model)
            described[adapter] = nil
            throw error
        }
        admission.catalogue.set(ModelCatalogue.Adapter(reference: reference, model: model))
        described[adapter] = now()
        return name
    }

    private func draft(_ submission: ClientSubmission, model name: String) async throws -> Admission.Draft {
        let resolved = try admission.catalogue.resolve(name)
        guard let model = place.models[resolved.model.name] else { throw RequestError.unknownModel(name) }
        let tokens: [TokenID]
        switch submission.prompt {
        case .tokens(let given): tokens = given
        case .text(let text):
            try admission.check(promptText: Array(text.utf8))
            // A client's text never becomes a control token: only the template's own tokens are added.
            tokens = await Task.detached { model.tokenizer.encode(text, parseSpecialTokens: false) }.value
        }
        return Admission.Draft(
            id: submission.id, model: name, promptTokens: tokens, parameters: submission.sampling,
            deadline: submission.deadline ?? place.clientLimits.request.deadlineMax, defaults: model.defaults)
    }

    /// A client that cannot be reached, or does not read, is gone: what it asked for is given up, and can be resumed.
    func send(_ client: ClientRef, _ reply: ClientReply) {
        guard let routingID = sessions.routingID(of: client) else { return }
        guard !port.send(to: routingID, reply) else { return }
        log.info("client \(client) is gone")
        if let client = sessions.lost(routingID) { gone.append(client) }
    }
}
