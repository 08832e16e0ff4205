internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// The network between the hosts: a bridge in a namespace of its own, and a cable (a veth pair) to each host.
struct UnderlayNetwork {
    static let bridge = "underlay"
    /// The hosts' end of their cable.
    static let device = "under0"

    let directory: LabDirectory

    /// Makes the bridge. The underlay's namespace must be there.
    func establish() throws(LabError) {
        let socket = try open(LabDirectory.underlayNode)
        try attempt { () throws(NetlinkError) in
            try socket.createBridge(Self.bridge, LinkChanges(isUp: true))
        }
    }

    /// Lays the cable to a host and gives its end the host's addresses. The host's namespace must be there.
    func connect(_ host: LabHost) throws(LabError) {
        let addresses = [(host.address, 24), (host.address6, 64)].compactMap { text, length in
            IPAddress(text).map { ($0, length) }
        }
        let namespace = try openNamespace(host.name)
        let underlay = try open(LabDirectory.underlayNode)
        let socket = try open(host.name)
        try attempt { () throws(NetlinkError) in
            let bridge = try underlay.index(of: Self.bridge)
            try underlay.createVeth(
                host.name, LinkChanges(isUp: true, master: .bridge(bridge)), peer: Self.device, in: namespace)
            try socket.setUp(try socket.index(of: "lo"))
            let device = try socket.index(of: Self.device)
            for (address, length) in addresses {
                try socket.replace(InterfaceAddress(interface: device, address: address, prefixLength: length))
            }
            try socket.setUp(device)
        }
    }

    /// Pulls a host's cable at the bridge, or plugs it in again: the host keeps its addresses and routes, as with real cables.
    func setCable(of host: String, pluggedIn: Bool) throws(LabError) {
        let socket = try open(LabDirectory.underlayNode)
        try attempt { () throws(NetlinkError) in
            try socket.change(try socket.index(of: host), LinkChanges(isUp: pluggedIn))
        }
    }

    private func openNamespace(_ node: String) throws(LabError) -> NetworkNamespace {
        let path = directory.networkNamespace(of: node)
        do throws(Errno) {
            return try NetworkNamespace(path: path)
        } catch {
            throw LabError("open the network namespace", path, error)
        }
    }

    private func open(_ node: String) throws(LabError) -> RouteSocket {
        let namespace = try openNamespace(node)
        return try attempt { () throws(NetlinkError) in try RouteSocket(in: namespace) }
    }

    private func attempt<Value>(_ body: () throws(NetlinkError) -> Value) throws(LabError) -> Value {
        do throws(NetlinkError) {
            return try body()
        } catch {
            throw LabError(.machine, "lab \(directory.name): underlay: \(error)")
        }
    }
}
