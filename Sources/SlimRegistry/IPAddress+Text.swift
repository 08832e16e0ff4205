extension IPAddress: LosslessStringConvertible {
    /// Parses `10.32.1.2` or `fd00:32::1` (RFC 4291 section 2.2). No zone, no port, no octal.
    package init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let parsed = Self.parseV6(text) else { return nil }
            self = parsed
        } else {
            guard let bits = Self.parseV4(text) else { return nil }
            self.init(v4Bits: bits)
        }
    }

    package init?(_ description: String) { self.init(Substring(description)) }

    private static func parseV4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 48, let value = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    private static func parseV6(_ text: some StringProtocol) -> IPAddress? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = Substring(text)
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix(":") {
            return nil
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            let group = rest[..<end]
            if group.contains(".") {
                guard end == rest.endIndex, let v4 = parseV4(group) else { return nil }
                groups += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
                rest = ""
                break
            }
            guard (1...4).contains(group.utf8.count), group.utf8.allSatisfy({ $0 != 43 }),
                let value = UInt16(group, radix: 16)
            else { return nil }
            groups.append(value)
            guard groups.count <= 8 else { return nil }
            if end == rest.endIndex { break }
            rest = rest[rest.index(after: end)...]
            if rest.hasPrefix(":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count <= 7 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let words = groups.map(UInt64.init)
        return IPAddress(
            v6High: words[0] << 48 | words[1] << 32 | words[2] << 16 | words[3],
            low: words[4] << 48 | words[5] << 32 | words[6] << 16 | words[7])
    }

    /// The canonical text (RFC 5952 for IPv6).
    package var description: String {
        if let bits = v4Bits {
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        }
        let groups = [high, low].flatMap { word in
            (0..<4).map { UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * $0)) }
        }
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > best.count, end - index > 1 { best = index..<end }
            index = max(end, index + 1)
        }
        let hex = { (range: Range<Int>) in
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? hex(0..<8) : hex(0..<best.lowerBound) + "::" + hex(best.upperBound..<8)
    }
}
