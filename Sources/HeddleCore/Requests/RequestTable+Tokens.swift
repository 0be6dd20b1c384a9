extension RequestTable {
    /// New tokens from the request's group.
    ///
    /// What does not belong to the present attempt is dropped, and its sender told to stop; what is here already is
    /// dropped. When tokens are missing the attempt is given up and replayed: a stream has no gaps.
    public mutating func delivered(_ delivery: Delivery, now: Instant) -> [Action] {
        guard let present = entries[delivery.request], present.attempt == delivery.attempt,
            present.phase == .running(delivery.from)
        else {
            counts.stale += 1
            return [.cancelAtWorker(delivery.from, delivery.request, delivery.attempt, choice: nil)]
        }
        return update(delivery.request) { $0.take(delivery, into: &$1, now: now) } + trim()
    }

    /// Log-probabilities of the prompt from the request's group. What is here already is dropped; a gap is replayed.
    public mutating func promptScored(_ scores: PromptScores, now: Instant) -> [Action] {
        guard let present = entries[scores.request], present.attempt == scores.attempt,
            present.phase == .running(scores.from)
        else {
            counts.stale += 1
            return [.cancelAtWorker(scores.from, scores.request, scores.attempt, choice: nil)]
        }
        return update(scores.request) { table, entry in
            let next = entry.promptLogprobs.count + 1
            if scores.firstIndex < next {
                table.counts.duplicates += 1
                return []
            }
            guard scores.firstIndex == next, scores.logprobs.count <= entry.promptLogprobCountMax - (next - 1),
                zip(scores.logprobs, entry.submission.promptTokens.dropFirst(next)).allSatisfy({ $0.token == $1 })
            else {
                table.counts.gaps += 1
                return [.cancelAtWorker(scores.from, entry.id, entry.attempt, choice: nil)]
                    + table.lose(&entry, isGroupLost: true, now: now)
            }
            entry.promptLogprobs += scores.logprobs
            return table.stream(&entry, now: now)
        } + trim()
    }

    /// The first `safeTokenCount` tokens of the choice are no part of a stop string.
    public mutating func scanned(
        _ request: RequestID, choice: Int, safeTokenCount: Int, now: Instant
    ) -> [Action] {
        update(request) { table, entry in
            guard !entry.isEnded, entry.choices.indices.contains(choice),
                safeTokenCount > entry.choices[choice].safeCount
                    || entry.choices[choice].finish != nil && safeTokenCount == entry.choices[choice].safeCount,
                safeTokenCount <= entry.choices[choice].tokens.count
            else { return [] }
            entry.choices[choice].safeCount = safeTokenCount
            if safeTokenCount == entry.choices[choice].tokens.count { entry.choices[choice].isScanDue = false }
            return table.stream(&entry, now: now)
        } + trim()
    }

    /// A stop string begins in the last of the first `keepTokenCount` tokens, or right behind it: the choice ends there.
    public mutating func stopMatched(
        _ request: RequestID, choice: Int, keepTokenCount: Int, now: Instant
    ) -> [Action] {
        update(request) { table, entry in
            guard !entry.isEnded, entry.choices.indices.contains(choice) else { return [] }
            var ended = entry.choices[choice]
            guard !ended.isFinishSent else { return [] }
            let wasRunning = ended.finish == nil
            // What was called safe stays.
            let keep = min(max(keepTokenCount, ended.safeCount), ended.tokens.count)
            ended.tokens.removeSubrange(keep...)
            if !ended.logprobs.isEmpty { ended.logprobs.removeSubrange(keep...) }
            ended.safeCount = keep
            ended.finish = .stop
            ended.isScanDue = false
            entry.choices[choice] = ended
            var actions: [Action] = []
            if wasRunning, case .running(let group) = entry.phase {
                let others = entry.choices.contains { $0.finish == nil }
                actions.append(.cancelAtWorker(group, entry.id, entry.attempt, choice: others ? choice : nil))
            }
            return actions + table.stream(&entry, now: now)
        } + trim()
    }

    private mutating func take(_ delivery: Delivery, into entry: inout RequestEntry, now: Instant) -> [Action] {
        guard entry.choices.indices.contains(delivery.choice) else { return gap(delivery, &entry, now: now) }
        let tokenCount = entry.choices[delivery.choice].tokens.count
        guard entry.choices[delivery.choice].finish == nil, delivery.firstIndex >= tokenCount else {
            counts.duplicates += 1
            return []
        }
        guard delivery.firstIndex == tokenCount,
            delivery.tokens.count <= entry.submission.parameters.tokenCountMax - tokenCount,
            delivery.logprobs.isEmpty || delivery.logprobs.count == delivery.tokens.count,
            tokenCount == 0 || delivery.tokens.isEmpty
                || delivery.logprobs.isEmpty == entry.choices[delivery.choice].logprobs.isEmpty,
            // The best choices are found by them.
            entry.isChosen || delivery.logprobs.count == delivery.tokens.count
        else { return gap(delivery, &entry, now: now) }
        entry.choices[delivery.choice].tokens += delivery.tokens
        entry.cachedTokenCount = min(entry.cachedTokenCount ?? .max, max(0, delivery.cachedTokenCount))
        entry.choices[delivery.choice].logprobs += delivery.logprobs
        let isFull = tokenCount + delivery.tokens.count == entry.submission.parameters.tokenCountMax
        entry.choices[delivery.choice].finish = delivery.finish ?? (isFull ? .length : nil)
        var actions: [Action] = []
        let generated = entry.generatedTokenCount
        if generated - entry.reportedTokenCount >= limits.reportTokenCount {
            entry.reportedTokenCount = generated
            actions.append(.report(entry.id, entry.attempt, generatedTokenCount: generated))
        }
        if entry.submission.parameters.stopStrings.isEmpty {
            entry.choices[delivery.choice].safeCount = entry.choices[delivery.choice].tokens.count
        } else {
            entry.choices[delivery.choice].isScanDue = entry.choices[delivery.choice].finish != nil
            actions.append(
                .scan(
                    entry.id, choice: delivery.choice, firstIndex: tokenCount, tokens: delivery.tokens,
                    isLast: entry.choices[delivery.choice].finish != nil))
        }
        return actions + stream(&entry, now: now)
    }

    private mutating func gap(_ delivery: Delivery, _ entry: inout RequestEntry, now: Instant) -> [Action] {
        counts.gaps += 1
        return [.cancelAtWorker(delivery.from, entry.id, entry.attempt, choice: nil)]
            + lose(&entry, isGroupLost: true, now: now)
    }
}
