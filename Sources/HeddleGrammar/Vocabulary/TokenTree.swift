import HeddleCore

/// The tokens of a vocabulary as a tree of their bytes, laid so that a walk that leaves out what does not fit is one pass: every
/// node stands before those below it, and knows where they end. Node 0 is the empty text.
struct TokenTree: Sendable {
    private(set) var bytes: [UInt8] = [0]
    private(set) var depths: [Int32] = [0]
    /// For each node, the first that is not below it.
    private(set) var ends: [Int32] = [0]
    /// For each node, where its own tokens begin in `tokens`; they end where the next node's begin.
    private(set) var firstTokens: [Int32] = [0]
    private(set) var tokens: [TokenID] = []
    private(set) var depthMax = 0

    init(pool: [UInt8], offsets: [Int32]) {
        pool.withUnsafeBufferPointer { pool in
            func text(_ token: Int) -> Slice<UnsafeBufferPointer<UInt8>> {
                pool[Int(offsets[token])..<Int(offsets[token + 1])]
            }
            let order = (0..<offsets.count - 1).filter { offsets[$0] < offsets[$0 + 1] }.sorted {
                let (left, right) = (text($0), text($1))
                return left.elementsEqual(right) ? $0 < $1 : left.lexicographicallyPrecedes(right)
            }
            var path = [0]
            for token in order {
                let text = text(token)
                var shared = 0
                while shared < path.count - 1, shared < text.count,
                    bytes[path[shared + 1]] == text[text.startIndex + shared]
                {
                    shared += 1
                }
                while path.count > shared + 1 { ends[path.removeLast()] = Int32(bytes.count) }
                for byte in text.dropFirst(shared) {
                    path.append(bytes.count)
                    bytes.append(byte)
                    depths.append(Int32(path.count - 1))
                    ends.append(0)
                    firstTokens.append(Int32(tokens.count))
                }
                depthMax = max(depthMax, text.count)
                tokens.append(TokenID(token))
            }
            while let node = path.popLast() { ends[node] = Int32(bytes.count) }
            firstTokens.append(Int32(tokens.count))
        }
    }
}
