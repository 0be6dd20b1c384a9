import HeddleCore

/// What an inspector asks a node on the inspection socket.
public struct InspectRequest: Hashable, Sendable {
    /// Comes back in the reply, so that a late answer is not taken for another's.
    public var number: UInt64
    public var query: InspectionQuery
    /// The node does not answer after it.
    public var deadline: Duration

    public init(number: UInt64, query: InspectionQuery, deadline: Duration) {
        self.number = number
        self.query = query
        self.deadline = deadline
    }

    static let kind: UInt8 = 1

    /// The header frame and the payload frame.
    public func frames() -> [[UInt8]] {
        [FrameHeader.bytes(FrameHeader.inspection, kind: Self.kind), MessageArena().pack(self)]
    }

    /// Reads a request that may hold anything.
    public init(frames: [[UInt8]], limits: InspectionLimits = InspectionLimits()) throws(ClientFrameError) {
        let (kind, payload) = try FrameHeader.read(
            frames, socket: FrameHeader.inspection, payloadByteCountMax: limits.requestByteCountMax)
        guard kind == Self.kind else { throw ClientFrameError("kind \(kind) is none that an inspector sends") }
        do {
            self = try readInspectRequest(payload, limits: limits)
        } catch let error as ClientFrameError {
            throw error
        } catch {
            throw ClientFrameError("\(error)")
        }
    }
}

/// A node's answer on the inspection socket.
public struct InspectReply: Hashable, Sendable {
    /// Of the request; 0 where it could not be read.
    public var number: UInt64
    public var outcome: Outcome

    public init(number: UInt64, outcome: Outcome) {
        self.number = number
        self.outcome = outcome
    }

    /// A report, or one sentence why there is none.
    public enum Outcome: Hashable, Sendable {
        case report(NodeReport)
        case refused(String)
    }

    static let kind: UInt8 = 16

    /// The header frame and the payload frame; texts and lists over the limits are cut and counted in `omittedCount`.
    public func frames(limits: InspectionLimits = InspectionLimits()) -> [[UInt8]] {
        let header = FrameHeader.bytes(FrameHeader.inspection, kind: Self.kind)
        var reply = self
        while true {
            let payload = MessageArena().pack(reply, limits: limits)
            if payload.count <= limits.replyByteCountMax { return [header, payload] }
            // Each turn halves every list, so that even a report of the largest entries ends within the bound.
            guard case .report(let report) = reply.outcome, let smaller = report.halved() else {
                let refusal = "the report has \(payload.count) bytes; at most \(limits.replyByteCountMax) are allowed"
                return [
                    header,
                    MessageArena().pack(InspectReply(number: number, outcome: .refused(refusal)), limits: limits),
                ]
            }
            reply.outcome = .report(smaller)
        }
    }

    /// Reads a reply that may hold anything.
    public init(frames: [[UInt8]], limits: InspectionLimits = InspectionLimits()) throws(ClientFrameError) {
        let (kind, payload) = try FrameHeader.read(
            frames, socket: FrameHeader.inspection, payloadByteCountMax: limits.replyByteCountMax)
        guard kind == Self.kind else { throw ClientFrameError("kind \(kind) is none that a node sends") }
        do {
            self = try readInspectReply(payload, limits: limits)
        } catch let error as ClientFrameError {
            throw error
        } catch {
            throw ClientFrameError("\(error)")
        }
    }
}

extension NodeReport {
    /// The report with half of each list; nil where every list is empty.
    fileprivate func halved() -> NodeReport? {
        var half = self
        func halve<Entry>(_ list: inout [Entry]) {
            let dropped = (list.count + 1) / 2
            list.removeLast(dropped)
            half.omittedCount += dropped
        }
        var (actors, tenants, adapters, workers, requests) = (actors, tenants, adapters, workers, requests)
        var (events, lines, spans) = (events, lines, spans)
        halve(&events)
        halve(&lines)
        halve(&spans)
        (half.events, half.lines, half.spans) = (events, lines, spans)
        halve(&actors)
        halve(&tenants)
        halve(&adapters)
        halve(&workers)
        halve(&requests)
        (half.actors, half.tenants, half.adapters, half.workers, half.requests) =
            (actors, tenants, adapters, workers, requests)
        return half.omittedCount == omittedCount ? nil : half
    }
}
