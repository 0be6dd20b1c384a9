extension Text {
    /// Words between whitespace, from the left; behind `countMax` cuts the rest is one.
    func words(countMax: Int) -> [Text] {
        var result: [Text] = []
        var index = Scan.spaceEnd(bytes, 0)
        while index < bytes.count {
            if result.count == countMax {
                result.append(Text(Array(bytes[index...])))
                break
            }
            let end = wordEnd(index)
            result.append(Text(Array(bytes[index..<end])))
            index = Scan.spaceEnd(bytes, end)
        }
        return result
    }

    /// Words between whitespace, cut from the right.
    func wordsFromRight(countMax: Int) -> [Text] {
        var result: [Text] = []
        var end = Scan.endWithoutSpace(bytes, 0..<bytes.count)
        while end > 0 {
            if result.count == countMax {
                result.append(Text(Array(bytes[..<end])))
                break
            }
            var start = end
            while start > 0 {
                let (scalar, count) = Scan.scalar(bytes, before: start)
                guard !Scan.isSpace(scalar) else { break }
                start -= count
            }
            result.append(Text(Array(bytes[start..<end])))
            end = Scan.endWithoutSpace(bytes, 0..<start)
        }
        return result.reversed()
    }

    private func wordEnd(_ start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let (scalar, count) = Scan.scalar(bytes, end)
            guard !Scan.isSpace(scalar) else { break }
            end += count
        }
        return end
    }

    /// Pieces between separators, at most `countMax` cuts from the left; the separator is not empty.
    func pieces(between separator: Text, countMax: Int) -> [Text] {
        let cuts = TextSearch(separator.bytes).all(in: bytes, from: 0, to: bytes.count, countMax: countMax)
        return pieces(cuts, separator.bytes.count)
    }

    /// Pieces between separators, at most `countMax` cuts from the right; the separator is not empty.
    func piecesFromRight(between separator: Text, countMax: Int) -> [Text] {
        let reversed = Array(bytes.reversed())
        let found = TextSearch(separator.bytes.reversed()).all(
            in: reversed, from: 0, to: bytes.count, countMax: countMax)
        return pieces(found.map { bytes.count - $0 - separator.bytes.count }.reversed(), separator.bytes.count)
    }

    private func pieces(_ cuts: [Int], _ separatorByteCount: Int) -> [Text] {
        var result: [Text] = []
        var position = 0
        for cut in cuts {
            result.append(Text(Array(bytes[position..<cut])))
            position = cut + separatorByteCount
        }
        result.append(Text(Array(bytes[position...])))
        return result
    }

    /// Lines as `str.splitlines` cuts them.
    func lines(keepingEnds: Bool) -> [Text] {
        var result: [Text] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            let (scalar, count) = Scan.scalar(bytes, index)
            let end = index
            index += count
            switch scalar.value {
            case 0x0D: if index < bytes.count, bytes[index] == 0x0A { index += 1 }
            case 0x0A, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029: break
            default: continue
            }
            result.append(Text(Array(bytes[start..<(keepingEnds ? index : end)])))
            start = index
        }
        if start < bytes.count { result.append(Text(Array(bytes[start...]))) }
        return result
    }
}
