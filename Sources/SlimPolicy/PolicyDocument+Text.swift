internal import SlimJSON
internal import SlimRegistry

extension PolicyDocument {
    /// The policy as a file that says the same: equal policies have equal texts.
    package var text: String {
        var members = [("version", "\(Self.version)")]
        if let description { members.append(("description", PolicyWriter.string(description))) }
        members.append(("defaultAction", defaults.text))
        let parts = [
            ("isolate", isolations.map(\.text)), ("rules", rules.map(\.text)), ("bandwidth", bandwidth.map(\.text)),
            ("qos", qos.map(\.text)),
        ]
        for (key, lines) in parts where !lines.isEmpty {
            members.append((key, "[\n    " + lines.joined(separator: ",\n    ") + "\n  ]"))
        }
        return "{\n  " + members.map { "\"\($0)\": \($1)" }.joined(separator: ",\n  ") + "\n}\n"
    }

    /// FNV-1a, 64 bits, of the text.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}

extension PolicyDefaults {
    /// As the file has it, on one line.
    package var text: String {
        var members = [
            ("ingress", PolicyWriter.string(ingress.name.rawValue)),
            ("egress", PolicyWriter.string(egress.name.rawValue)),
        ]
        if ingress.mode == .drop || egress.mode == .drop {
            members.append(("mode", PolicyWriter.string(DenyMode.drop.rawValue)))
        }
        return PolicyWriter.object(members)
    }
}

extension PolicyAction {
    var mode: DenyMode? {
        switch self {
        case .allow: nil
        case .deny(let mode): mode
        }
    }
}

/// Writes JSON on one line.
enum PolicyWriter {
    static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ", ") + "]" }

    static func string(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        }
        if isPlain { return "\"\(text)\"" }
        var written = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": written += "\\\""
            case "\\": written += "\\\\"
            case "\n": written += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                written += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: written.unicodeScalars.append(scalar)
            }
        }
        return written + "\""
    }

    static func strings(_ texts: [String]) -> String { array(texts.map(string)) }

    static func selectors(_ selectors: [PolicySelector]) -> String {
        let texts = selectors.map(\.text)
        return texts.count == 1 ? texts[0] : array(texts)
    }
}

extension PolicySelector {
    /// As the file has it, on one line.
    package var text: String {
        switch self {
        case .any: PolicyWriter.string(Word.any.rawValue)
        case .containers: PolicyWriter.string(Word.containers.rawValue)
        case .network(let network):
            PolicyWriter.object(
                [("cidr", PolicyWriter.string("\(network.subnet)"))]
                    + (network.except.isEmpty
                        ? [] : [("except", PolicyWriter.strings(network.except.map(\.description)))]))
        case .container(let container):
            PolicyWriter.object(
                (container.names.isEmpty
                    ? []
                    : [
                        (
                            "container",
                            container.names.count == 1
                                ? PolicyWriter.string(container.names[0]) : PolicyWriter.strings(container.names)
                        )
                    ])
                    + (container.labels.isEmpty
                        ? []
                        : [
                            (
                                "labels",
                                "{"
                                    + container.labels.map { "\(PolicyWriter.string($0.key)): \($0.test.text)" }
                                    .joined(separator: ", ") + "}"
                            )
                        ]))
        }
    }
}

extension LabelRequirement.Test {
    fileprivate var text: String {
        switch self {
        case .anyOf(let values) where values.count == 1: PolicyWriter.string(values[0])
        case .anyOf(let values): PolicyWriter.object([("in", PolicyWriter.strings(values))])
        case .noneOf(let values, let isRequired):
            PolicyWriter.object(
                [("notIn", PolicyWriter.strings(values))] + (isRequired ? [("exists", "true")] : []))
        case .exists: PolicyWriter.object([("exists", "true")])
        case .absent: PolicyWriter.object([("exists", "false")])
        }
    }
}
