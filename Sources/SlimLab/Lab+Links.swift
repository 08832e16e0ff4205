internal import SlimNetlink
internal import SlimSystem
internal import SystemPackage

extension Lab {
    /// Pulls a host's cable to the underlay, or plugs it in again.
    package func setLink(of host: String, up: Bool) throws(LabError) {
        try UnderlayNetwork(directory: directory).setCable(of: try self.host(host).name, pluggedIn: up)
    }

    /// The bytes that have passed through a network device of a host or container, both ways.
    package func bytes(through device: String, on node: String) throws(LabError) -> UInt64 {
        let path = networkNamespace(of: node)
        do {
            let namespace = try NetworkNamespace(path: path)
            guard let link = try RouteSocket(in: namespace).link(named: device) else {
                throw LabError(.state, "\(node): there is no network device \(device)")
            }
            return link.counters.receivedBytes + link.counters.sentBytes
        } catch let error as LabError {
            throw error
        } catch {
            throw LabError(.machine, "\(node): counters of \(device): \(error)")
        }
    }
}
