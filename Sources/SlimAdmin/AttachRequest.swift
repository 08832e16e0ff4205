/// Asks for an existing network namespace to become a container: `POST /v1/containers`.
package struct AttachRequest: Codable, Equatable, Sendable {
    package var name: String
    /// The path of the network namespace, as the router sees it: `/run/netns/blue`, `/proc/17/ns/net`.
    package var netns: String
    package var labels: [String: String]
    /// The address to give; absent: the next free one of the host's subnet.
    package var ipv4: String?
    package var ipv6: String?

    package init(name: String, netns: String, labels: [String: String] = [:], ipv4: String? = nil, ipv6: String? = nil)
    {
        self.name = name
        self.netns = netns
        self.labels = labels
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        netns = try container.decode(String.self, forKey: .netns)
        labels = try container.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        ipv4 = try container.decodeIfPresent(String.self, forKey: .ipv4)
        ipv6 = try container.decodeIfPresent(String.self, forKey: .ipv6)
    }

    /// Checks what can be checked without the kernel: name, path and the size of the labels.
    package func validate() throws(AdminError) {
        guard Self.isContainerName(name) else {
            throw AdminError(
                .badRequest,
                "name: \(name.prefix(80).debugDescription) cannot name a container; use at most 63 letters, digits, '-', '_' or '.', the first a letter or digit"
            )
        }
        guard netns.hasPrefix("/"), netns.utf8.count < 4096, !netns.utf8.contains(0) else {
            throw AdminError(.badRequest, "netns: not an absolute path; use one such as /run/netns/\(name)")
        }
        guard labels.count <= 64 else { throw AdminError(.badRequest, "labels: more than 64; remove some") }
        for (key, value) in labels {
            let isPrintable = (key + value).unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            guard (1...63).contains(key.utf8.count), value.utf8.count <= 255, isPrintable else {
                throw AdminError(
                    .badRequest,
                    "labels: \(key.prefix(80).debugDescription): use keys of 1 to 63 and values of at most 255 printable bytes"
                )
            }
        }
    }

    /// Whether a text can name a container: it becomes part of paths, host names and log lines.
    package static func isContainerName(_ name: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard (1...63).contains(name.utf8.count), let first = name.utf8.first, isAlphanumeric(first) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }
}
