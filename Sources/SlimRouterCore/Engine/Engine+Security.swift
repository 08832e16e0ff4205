internal import SlimControl
internal import SlimGuard
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Secure mode: nothing leaves this router that is not guarded.
extension Engine {
    /// Has the guard watch a host socket; must be done before anybody gets it.
    ///
    /// - Parameter destination: of a socket that is not connected yet, in the underlay.
    /// - Throws: when it is not guarded though it would have to be. It must not be handed over.
    func secure(
        _ socket: CInt, local: Endpoint, peer: Endpoint, destination: Endpoint? = nil
    ) throws(Errno) {
        switch security {
        case .off: return
        case .closed: throw .notPermitted
        case .guarded(let socketGuard):
            let tag = GuardTag(local: local, peer: peer, generation: policy.generation, destination: destination)
            do throws(Errno) { try socketGuard.tag(socket, tag) } catch {
                counters.tagsRefused += 1
                log.error("guard", "a host socket is not handed out: the guard does not take it: \(error)")
                do throws(GuardError) { try socketGuard.check() } catch { securityFailed(error) }
                throw error
            }
        }
    }

    /// The guard has died.
    private func securityFailed(_ error: GuardError) {
        adopt(.closed)
        guardFailed(error)
    }

    /// Hands sockets out on another condition from now on. Connections that live stay.
    func adopt(_ new: Security) {
        security = new
        // Made in advance, perhaps where no guard watches.
        spares = SpareSockets()
        withdrawAll()
        if let socketGuard = new.guard { renewDataPorts(for: socketGuard) }
        // What peers were told of listeners may no longer be so.
        for name in interest.takeAll() { _ = send(.invalidateAll, name) }
    }

    /// What is accepted from a data port is guarded only if the port was opened under the guard.
    private func renewDataPorts(for socketGuard: any SocketGuard) {
        for (index, port) in dataPorts.enumerated() where !socketGuard.canTag(port.descriptor.raw) {
            do throws(Errno) {
                let address = try StreamSocket.localAddress(port.descriptor.raw)
                let isServed = port.token != 0
                epoll.remove(port.descriptor.raw)
                sources.remove(port.token)
                // The keeper has it too: what listens no longer can be bound beside.
                StreamSocket.stopListening(port.descriptor.raw)
                let renewed = DataPort(try openDataPort(at: address), port: port.port)
                remember { keeper throws(Errno) in try keeper.keep(renewed) }
                dataPorts[index] = renewed
                if isServed { try serve(renewed) }
            } catch {
                log.error("data port", "data port \(port.port) cannot be opened again: \(error); restart the router")
            }
        }
    }
}
