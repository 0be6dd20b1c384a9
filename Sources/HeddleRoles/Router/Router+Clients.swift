import HeddleActors
import HeddleCore
import HeddleFiles
import HeddleWire

/// What clients say, at the client socket and in this process, and what they hear.
extension Router {
    /// Takes in one message of a client, in the order in which they came.
    func heard(_ event: ClientPort.Event) {
        switch event {
        case .lost(let routingID):
            if let client = sessions.lost(routingID) { carry(table.clientGone(client, now: now())) }
        case .message(let routingID, let frames):
            port.took(frames)
            switch sessions.heard(routingID, at: now()) {
            case .refused(let error): port.send(to: routingID, ClientReply(id: nil, error: error))
            case .known(let client), .new(let client): read(frames, from: client)
            }
        case .said(let routingID, let message):
            switch sessions.heard(routingID, at: now(), mayBeSilent: true) {
            case .refused(let error): port.send(to: routingID, ClientReply(id: nil, error: error))
            case .known(let client), .new(let client): take(message, from: client)
            }
        }
        publishIfDue()
    }

    private func read(_ frames: [[UInt8]], from client: ClientRef) {
        let message: ClientMessage
        do { message = try ClientMessage(frames: frames, limits: place.clientLimits) } catch {
            return send(client, .failed(error.failure))
        }
        take(message, from: client)
    }

    private func take(_ message: ClientMessage, from client: ClientRef) {
        switch message {
        case .submit(let submission): submit(submission, from: client)
        case .cancel(let request):
            if admitting[request]?.client == client { admitting[request]?.isCancelled = true }
            carry(table.cancel(request, client: client, now: now()))
        case .credit(let request, let count):
            carry(table.credit(request, client: client, tokenCount: count, now: now()))
        case .ping(let number):
            send(client, .pong(number: number, incarnation: reference.incarnation, session: client))
        }
    }

    /// Checks and tokenises beside the actor: a long prompt holds up nobody.
    private func submit(_ submission: ClientSubmission, from client: ClientRef) {
        guard admitting[submission.id] == nil else {
            return refuse(submission.id, of: nil, .busy(retryAfter: PromptEncoder.retryAfter), to: client)
        }
        let tenant: TenantTable.Tenant
        do {
            tenant = try admission.tenants.authenticate(
                name: submission.tenant, keyDigest: submission.key.flatMap { KeyDigest.of($0) })
        } catch {
            return refuse(submission.id, of: nil, error, to: client)
        }
        guard hasRoomToAdmit(for: tenant.name) else {
            return refuse(submission.id, of: tenant.name, .busy(retryAfter: PromptEncoder.retryAfter), to: client)
        }
        admitting[submission.id] = Admitting(client: client, tenant: tenant.name)
        Task {
            do {
                try await admit(submission, of: tenant, from: client)
            } catch {
                admitting[submission.id] = nil
                let reason = error as? RequestError ?? .noCapacity(reason: "\(error)")
                refuse(submission.id, of: tenant.name, reason, to: client)
            }
            publishIfDue()
        }
    }

    private func admit(
        _ submission: ClientSubmission, of tenant: TenantTable.Tenant, from client: ClientRef
    ) async throws {
        let started = now()
        let name = try modelName(submission)
        // A request that is known keeps the adapter that it began with, whatever became of its files.
        var adapter = pinnedAdapter(of: submission.id, tenant: tenant.name, named: name)
        if adapter == nil { adapter = try await describe(name, for: submission, of: tenant) }
        let described = now()
        var draft = try await draft(submission, model: name, pinned: adapter, of: tenant.name)
        let isCancelled = admitting.removeValue(forKey: submission.id)?.isCancelled ?? false
        if isCancelled { throw RequestError.cancelled }
        // A client that went meanwhile is told nothing, and nothing is run for it.
        guard sessions.routingID(of: client) != nil else { return }
        let deadline = draft.deadline
        draft.deadline -= now().duration(since: started)
        guard draft.deadline > .zero else { throw RequestError.deadlineExceeded(after: deadline) }
        let admitted = try admission.admit(draft, tenant: tenant)
        // One that comes back keeps the trace that it has.
        if streams[submission.id] == nil {
            noteAdmitted(
                submission.id, started: started, described: described, promptTokenCount: draft.promptTokens.count)
        }
        echoesPrompt = submission.echoesPrompt
        submissionHeard = started
        defer {
            echoesPrompt = false
            submissionHeard = nil
        }
        carry(
            table.submit(
                admitted, client: client, credit: submission.creditTokens ?? place.clientLimits.creditTokensMax,
                resumeFrom: submission.resumeFrom, tenantRequestCountMax: tenant.requestCountMax, now: now()))
    }

    private func hasRoomToAdmit(for tenant: TenantName) -> Bool {
        guard admitting.count >= place.tenantAdmittingCountMax else { return true }
        return admitting.count < place.admittingCountMax
            && admitting.values.count { $0.tenant == tenant } < place.tenantAdmittingCountMax
    }

    /// Tells the client why its submission is not taken in; what runs under its id is untouched.
    private func refuse(_ request: RequestID, of tenant: TenantName?, _ error: RequestError, to client: ClientRef) {
        if let tenant { usageByTenant[tenant, default: TenantUsage()].refusedCount += 1 }
        noteRefused(request, of: tenant, error)
        send(client, ClientReply(id: request, error: error))
    }

    private func modelName(_ submission: ClientSubmission) throws(RequestError) -> String {
        guard submission.model.isEmpty else { return submission.model }
        guard let only = place.models.keys.first, place.models.count == 1 else { throw .unknownModel("") }
        return only.text
    }

    /// The adapter that a request of this tenant has already begun with, where it is the one that is named.
    private func pinnedAdapter(
        of request: RequestID, tenant: TenantName, named name: String
    ) -> ModelCatalogue.Adapter? {
        guard let known = table.submission(request), known.tenant == tenant, let adapter = known.adapter,
            let named = place.adapter(named: name), named.name == adapter.name, named.model == known.model
        else { return nil }
        return ModelCatalogue.Adapter(reference: adapter, model: known.model)
    }

    /// Has the adapter of this name described where that was done longer ago than a moment; afterwards the catalogue
    /// knows it too.
    private func describe(
        _ name: String, for submission: ClientSubmission, of tenant: TenantTable.Tenant
    ) async throws -> ModelCatalogue.Adapter? {
        guard let named = place.adapter(named: name) else { return nil }
        guard !withdrawn.contains(named.name) else { throw RequestError.unknownAdapter(name) }
        guard tenant.permission.allows(named.model, adapter: named.name) else {
            throw RequestError.notPermitted(tenant: tenant.name, model: name)
        }
        if let moment = described[named.name], now().duration(since: moment) < place.descriptionAge {
            return admission.catalogue.adapter(named.name, over: named.model)
        }
        let cache = try AdapterCache.resolve(id: place.cache, using: actorSystem)
        let (adapter, model) = (named.name, named.model)
        let reference: AdapterRef
        do {
            let patience = min(submission.deadline ?? place.descriptionPatience, place.descriptionPatience)
            reference = try await persevering(
                for: patience, while: { admitting[submission.id]?.isCancelled == false && described[adapter] == nil }
            ) {
                try await withDeadline(patience) { try await cache.describe(adapter, model: model) }
            }
        } catch is RemoteCallError where described[adapter] != nil {
            // The cache is away: what it said last holds until it is back.
            return admission.catalogue.adapter(adapter, over: model)
        } catch let error as RequestError {
            admission.catalogue.removeAdapter(adapter, model: model)
            described[adapter] = nil
            throw error
        }
        let present = ModelCatalogue.Adapter(reference: reference, model: model)
        admission.catalogue.set(present)
        described[adapter] = now()
        return present
    }

    private func draft(
        _ submission: ClientSubmission, model name: String, pinned: ModelCatalogue.Adapter?, of tenant: TenantName
    ) async throws -> Admission.Draft {
        let resolved = try admission.catalogue.resolve(name, pinned: pinned)
        guard let model = place.models[resolved.model.name] else { throw RequestError.unknownModel(name) }
        if let constraint = submission.sampling.constraint {
            if let error = submission.sampling.firstError(limits: admission.limits) { throw error }
            guard !(submission.sampling.stopTokens.isEmpty && model.defaults.endTokens.isEmpty) else {
                throw RequestError.schemaInvalid(reason: "the model has no end token; give stop_token_ids")
            }
            try await schemaReader.check(constraint, for: tenant)
        }
        let tokens: [TokenID]
        switch submission.prompt {
        case .tokens(let given): tokens = given
        case .text(let text):
            try admission.check(promptByteCount: text.utf8.count)
            tokens = try await encoder.tokens(of: text, for: tenant, by: model.tokenizer)
        }
        return Admission.Draft(
            id: submission.id, model: name, pinned: pinned, promptTokens: tokens, sampling: submission.sampling,
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
