internal import SlimJSON
internal import SlimRegistry

extension JSONValue {
    /// An array of objects whose names differ.
    func namedList<Element>(
        _ read: (JSONValue) throws(ConfigurationError) -> Element, _ name: KeyPath<Element, String>
    ) throws(ConfigurationError) -> [Element] {
        let values = try array()
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        var indices: [String: Int] = [:]
        for (index, value) in values.enumerated() {
            let element = try read(value)
            if let first = indices.updateValue(index, forKey: element[keyPath: name]) {
                throw value.error(
                    atKey: "name", "\(quoted(element[keyPath: name])) is the name of the one at [\(first)] already",
                    "give every one a name of its own")
            }
            elements.append(element)
        }
        return elements
    }

    /// The name of a rule or of another part of a policy: it stands in messages, tables and command lines.
    func policyName() throws(ConfigurationError) -> String {
        let text = try string()
        let isPlain = text.utf8.allSatisfy { byte in
            PolicyText.isAlphanumeric(byte) || "-_./:".utf8.contains(byte)
        }
        guard isPlain, (1...253).contains(text.utf8.count), let first = text.utf8.first,
            PolicyText.isAlphanumeric(first)
        else {
            throw error(
                "\(quoted(text)) cannot be a name here",
                "write at most 253 letters, digits, '-', '_', '.', '/' or ':', the first a letter or digit")
        }
        return text
    }

    /// Ports and ranges of them; sorted.
    func policyPorts() throws(ConfigurationError) -> [PolicyPortRange] {
        var ranges: [(range: PolicyPortRange, value: JSONValue)] = []
        for value in try array() { ranges.append((try value.policyPortRange(), value)) }
        guard !ranges.isEmpty else { throw error("is empty", "write a port, or remove the key for all ports") }
        ranges.sort { $0.range < $1.range }
        for (one, other) in zip(ranges, ranges.dropFirst()) where other.range.first <= one.range.last {
            throw other.value.error("\(other.range) overlaps \(one.range)", "let no port stand in the list twice")
        }
        return ranges.map(\.range)
    }

    private func policyPortRange() throws(ConfigurationError) -> PolicyPortRange {
        guard case .string(let text) = node else {
            guard case .number = node else {
                throw error("is \(node.kind)", "write a port such as 80, or a range such as \"9000-9010\"")
            }
            return PolicyPortRange(try port())
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { part -> UInt16? in
            (1...5).contains(part.utf8.count) && part.utf8.allSatisfy(PolicyText.isDigit) ? UInt16(part) : nil
        }
        guard parts.count == 2, let first = parts[0], let last = parts[1], first > 0 else {
            throw error(
                "\(quoted(text)) is not a range of ports",
                "write one such as \"9000-9010\", within 1-65535; a single port is a number"
            )
        }
        guard let range = PolicyPortRange(Port(first), Port(last)) else {
            throw error("the range \(text) ends before it begins", "write \"\(last)-\(first)\"")
        }
        return range
    }

    /// Bits per second: a number, or a text such as `100mbit`.
    func bitRate() throws(ConfigurationError) -> BitRate {
        let bits = try quantity(
            in: 8000...4_000_000_000_000, units: Quantity.rateUnits,
            remedy: "write bit/s, or a text such as \"500kbit\", \"100mbit\" or \"1.5gbit\", from 8kbit to 4000gbit")
        return BitRate(bitsPerSecond: bits)
    }

    /// Bytes: a number, or a text such as `256kib`.
    func byteCount() throws(ConfigurationError) -> UInt64 {
        try quantity(
            in: 2000...1 << 30, units: Quantity.sizeUnits,
            remedy: "write bytes, or a text such as \"64kb\", \"256kib\" or \"1mib\", from 2kb to 1024mib")
    }

    private func quantity(
        in range: ClosedRange<UInt64>, units: [(name: String, factor: UInt64)], remedy: String
    ) throws(ConfigurationError) -> UInt64 {
        let amount: UInt64?
        let shown: String
        switch node {
        case .number(let text): (amount, shown) = (UInt64(text), String(text.prefix(40)))
        case .string(let text): (amount, shown) = (Quantity.parse(text, units: units), quoted(text))
        default: throw error("is \(node.kind)", remedy)
        }
        guard let amount, range.contains(amount) else { throw error("\(shown) is no amount here", remedy) }
        return amount
    }
}

/// What names and labels consist of.
enum PolicyText {
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Whether a container can have the name: as when it is attached.
    static func isContainerName(_ text: String) -> Bool {
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, isAlphanumeric(first) else {
            return false
        }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    /// Whether a container can have the label.
    static func isLabelKey(_ text: String) -> Bool { (1...63).contains(text.utf8.count) && isPrintable(text) }

    static func isLabelValue(_ text: String) -> Bool { text.utf8.count <= 255 && isPrintable(text) }

    private static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
            || text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
