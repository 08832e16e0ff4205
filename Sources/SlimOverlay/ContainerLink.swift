internal import SlimNetlink

/// The host's end of a container's veth pair.
///
/// Its name follows from the container's; the alias tells the container's name to people and catches two names that
/// hash to one.
struct ContainerLink {
    let container: String

    /// 15 bytes, as long as an interface name can be.
    var name: String {
        let hash = String(fnv1a(container.utf8), radix: 36)
        return "sl" + String(repeating: "0", count: 13 - hash.utf8.count) + hash
    }

    var alias: String { Self.aliasPrefix + container }

    /// Whether a link is the host's end of a container's pair; one without alias was being made when a router died.
    static func isOne(_ link: Link) -> Bool {
        guard link.kind == "veth" else { return false }
        return link.alias?.hasPrefix(aliasPrefix) ?? (link.name.hasPrefix("sl") && link.name.utf8.count == 15)
    }

    private static let aliasPrefix = "slim container "

    /// The longest container name that an alias holds, in bytes.
    static let longestName = 255 - aliasPrefix.utf8.count
}
