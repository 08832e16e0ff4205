/// Where a lab keeps what it has: `/run/slim-lab/NAME`, a file system of its own, and namespace files in `/run/netns`.
package struct LabDirectory: Hashable, Sendable {
    package static let root = "/run/slim-lab"
    static let namespaces = "/run/netns"
    package static let defaultName = "default"

    package let name: String

    /// - Throws: ``LabError`` with `.usage` when the name is not 1 to 32 of `a-z 0-9 -`, beginning and ending with a letter or digit.
    package init(_ name: String = defaultName) throws(LabError) {
        let isAlphanumeric = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) }
        guard let first = name.utf8.first, let last = name.utf8.last, name.utf8.count <= 32, isAlphanumeric(first),
            isAlphanumeric(last), name.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") })
        else {
            throw LabError(
                .usage,
                "lab name \(name.debugDescription) is not usable: write at most 32 lower-case letters, digits and '-', the first and last not '-'"
            )
        }
        self.name = name
    }

    package var path: String { "\(Self.root)/\(name)" }
    package var recordPath: String { "\(path)/lab.json" }
    var lockPath: String { "\(Self.root)/\(name).lock" }
    /// What containers see as `/etc/hosts`.
    var hostsFilePath: String { "\(path)/hosts" }
    /// Keeps the files that namespaces are bound to: on the lab's own file system, which nobody mounts anything over.
    var keptNamespaces: String { "\(path)/namespaces" }
    /// The cluster's authority and all certificates.
    package var pkiDirectory: String { "\(path)/pki" }

    /// The namespace that holds the bridge between the hosts.
    package static let underlayNode = "net"

    package func networkNamespace(of node: String) -> String { "\(keptNamespaces)/\(node).net" }
    /// Where `ip netns` finds the namespace: a link. The file itself could not be unbound here once `ip netns add` has mounted
    /// the folder over itself.
    func namespaceLink(of node: String) -> String { "\(Self.namespaces)/slim-\(name)-\(node)" }
    func utsNamespace(of node: String) -> String { "\(keptNamespaces)/\(node).uts" }
    func mountNamespace(of node: String) -> String { "\(keptNamespaces)/\(node).mnt" }

    package func hostDirectory(_ host: String) -> String { "\(path)/\(host)" }
    package func routerConfiguration(_ host: String) -> String { "\(hostDirectory(host))/router.json" }
    package func routerLog(_ host: String) -> String { "\(hostDirectory(host))/router.log" }
    package func policyFile(_ host: String) -> String { "\(hostDirectory(host))/policy.json" }
    /// The router's own directory (`directory` in router.json).
    package func routerDirectory(_ host: String) -> String { "\(hostDirectory(host))/run" }
    package func adminSocket(_ host: String) -> String { "\(routerDirectory(host))/admin.sock" }

    /// The links to the lab's network namespaces that are there.
    package var namespaceFiles: [String] {
        LabFile.names(in: Self.namespaces).filter { node(ofNamespaceFile: $0) != nil }
            .map { "\(Self.namespaces)/\($0)" }
    }

    /// The node that a file in `/run/netns` belongs to; `nil` for another lab's, and for what is no lab's.
    func node(ofNamespaceFile file: String) -> String? {
        let prefix = "slim-\(name)-"
        guard file.hasPrefix(prefix) else { return nil }
        let node = String(file.dropFirst(prefix.count))
        return node == Self.underlayNode || NodeName(node) != nil ? node : nil
    }

    /// The admin socket of a lab router that the operator names `lab:h1`, `lab:NAME/h1`, or either without `lab:`.
    ///
    /// - Throws: ``LabError`` when the lab is not up or has no such host.
    package static func adminSocket(router: String) throws(LabError) -> String {
        let text = router.hasPrefix("lab:") ? router.dropFirst(4) : Substring(router)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let host = parts.last, !host.isEmpty else {
            throw LabError(.usage, "\(router.debugDescription) names no router of a lab: write lab:h1 or lab:NAME/h1")
        }
        let lab = try Lab(parts.count == 2 ? parts[0] : defaultName)
        return lab.directory.adminSocket(try lab.host(host).name)
    }
}
