internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SlimTraffic
internal import SystemPackage

/// How fast connections may be, and which go first.
extension Engine {
    /// Has the kernel know whose a host socket is, and treat it as the policy says. Before it sends anything, and before a
    /// program has it.
    ///
    /// Marked are all: a limit that comes later holds for connections that live. What else there is to say, is said once.
    ///
    /// - Throws: when the connection would escape its container's limits; nobody is to have it then.
    func shape(
        _ socket: CInt, of container: Container, from source: IPAddress, to destination: Endpoint
    ) throws(Errno) {
        // What passes a container's own loopback nobody limits either.
        if isWithinOneContainer(source, destination.address) { return }
        var treatment = PolicyTreatment.normal
        if policy.hasTreatments {
            treatment = policy.treatment(
                from: identityClass(of: source), to: identityClass(of: destination.address), port: destination.port)
        }
        if let number = container.trafficNumber {
            let mark = TrafficMark(.connection, number, treatment.priority ?? .normal)
            try StreamSocket.set(.mark, CInt(bitPattern: mark.value), on: socket)
        }
        if policy.hasLimits {
            let isOutgoing = container.address(source.family) == source
            let peer = identityClass(of: isOutgoing ? destination.address : source)
            let rates = [limits(of: container).connectionEgress, peer.limits.connectionIngress].compactMap { $0 }
            if let rate = rates.min() { try StreamSocket.limitPace(socket, bytesPerSecond: rate.bytesPerSecond) }
        }
        do throws(Errno) { try treat(socket, as: treatment) } catch {
            log.warning("treat", "container \(container.name): a connection is not preferred as it should be: \(error)")
        }
    }

    private func treat(_ socket: CInt, as treatment: PolicyTreatment) throws(Errno) {
        if let dscp = treatment.dscp {
            let value = CInt(dscp.trafficClass)
            try StreamSocket.set(.typeOfService, value, on: socket)
            if StreamSocket.family(socket) == .v6 { try StreamSocket.set(.trafficClass, value, on: socket) }
        }
        // Afterwards: with the type of service the kernel sets a priority of its own.
        if let priority = treatment.priority?.devicePriority {
            try StreamSocket.set(.priority, priority, on: socket)
        }
    }

    /// What a container may send and receive: of its addresses, what is said of any.
    private func limits(of container: Container) -> PolicyLimits {
        var limits = PolicyLimits.unlimited
        for address in container.party.identity.addresses {
            limits.tighten(container.party.identityClass(at: address, under: policy).limits)
        }
        return limits
    }

    /// Whether a container takes part in no connections on host sockets: one that is limited in what it receives is so at the
    /// one place by which all its packets come.
    func isByPacketsOnly(_ container: Container) -> Bool {
        policy.hasLimits && limits(of: container).ingress != nil
    }
}
