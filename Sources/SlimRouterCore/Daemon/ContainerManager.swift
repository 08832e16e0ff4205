internal import FoundationEssentials
internal import Logging
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimOverlay
internal import SlimPacketFilter
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Gives network namespaces addresses and the router's socket, and takes them back. One at a time, on a queue of its
/// own: netlink and namespace calls block, and nothing here suspends, so that two requests never mix.
actor ContainerManager {
    /// A container and what its namespace is recognised by.
    private struct Attached {
        let record: ContainerStore.Record
        let file: NamespaceFile?
    }

    private nonisolated let executor = BlockingExecutor(label: "slim.containers")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let overlay: Overlay
    private let mailbox: Mailbox
    private let store: ContainerStore
    private let policy: PolicyManager
    private let logger: Logger
    private var pool: AddressPool
    private var attached: [String: Attached] = [:]

    var records: [ContainerStore.Record] { attached.values.map(\.record).sorted { $0.name < $1.name } }

    init(
        configuration: RouterConfiguration, overlay: Overlay, mailbox: Mailbox, store: ContainerStore,
        policy: PolicyManager, logger: Logger
    ) {
        self.overlay = overlay
        self.mailbox = mailbox
        self.store = store
        self.policy = policy
        self.logger = logger
        pool = AddressPool(configuration.overlay.subnets)
    }

    /// Serves the containers of the router before this one again. Those that are gone are forgotten.
    func restore() {
        let known: [ContainerStore.Record]
        do { known = try store.load() } catch {
            logger.error("the list of containers cannot be read; attach them again", metadata: ["error": "\(error)"])
            return
        }
        for record in known {
            do throws(AdminError) { _ = try attach(AttachRequest(record), expected: record.cookie) } catch {
                logger.warning(
                    "container not restored", metadata: ["container": "\(record.name)", "error": "\(error)"])
                try? overlay.detach(container: record.name, addresses: record.addresses)
            }
        }
        save()
        do throws(PacketFilterError) { try policy.update(containers: records) } catch {
            logger.critical("containers are cut off from the packet overlay", metadata: ["error": "\(error)"])
        }
    }

    func attach(_ request: AttachRequest) throws(AdminError) -> ContainerStore.Record {
        detachVanished()
        let record = try attach(request, expected: nil)
        do throws(PacketFilterError) { try policy.update(containers: records) } catch {
            try? release(record.name)
            throw AdminError(.internalError, "container \(record.name): \(error)")
        }
        save()
        logger.info("container attached", metadata: ["container": "\(record.name)", "ipv4": "\(record.ipv4 ?? "-")"])
        return record
    }

    /// - Parameter expected: the namespace that the path must lead to; `nil` takes any.
    private func attach(_ request: AttachRequest, expected: UInt64?) throws(AdminError) -> ContainerStore.Record {
        guard attached[request.name] == nil else {
            throw AdminError(.conflict, "container \(request.name): exists; detach it first or choose another name")
        }
        let network = try open(request.netns)
        let cookie: NamespaceCookie
        do throws(Errno) { cookie = try network.cookie() } catch {
            throw AdminError(.internalError, "\(request.netns): \(error); Slim needs Linux 5.14 or newer")
        }
        guard expected == nil || expected == cookie.rawValue else {
            throw AdminError(.conflict, "\(request.netns): is another network namespace now; attach it again")
        }
        if let other = attached.values.first(where: { $0.record.cookie == cookie.rawValue }) {
            throw AdminError(.conflict, "\(request.netns): is attached already, as container \(other.record.name)")
        }
        let addresses = try chooseAddresses(request)
        do throws(AdminError) {
            try connect(request.name, network, addresses)
            try arrange(request, network, addresses)
        } catch {
            pool.release(addresses)
            throw error
        }
        let record = ContainerStore.Record(
            name: request.name, netns: request.netns, cookie: cookie.rawValue, labels: request.labels,
            ipv4: addresses.first { $0.family == .v4 }?.description,
            ipv6: addresses.first { $0.family == .v6 }?.description)
        attached[request.name] = Attached(record: record, file: NamespaceFile(network))
        return record
    }

    /// Gives a container other labels.
    func relabel(_ name: String, _ request: RelabelRequest) throws(AdminError) -> ContainerStore.Record {
        guard let container = attached[name] else { throw unknown(name) }
        var record = container.record
        record.labels = request.apply(to: record.labels)
        try AttachRequest(record).validate()
        attached[name] = Attached(record: record, file: container.file)
        let labels = record.labels
        do throws(PacketFilterError) { try policy.update(containers: records) } catch {
            attached[name] = container
            throw AdminError(.internalError, "container \(name): \(error)")
        }
        mailbox.askAndWait { _ = $0.relabel(name, labels) }
        save()
        logger.info("container relabelled", metadata: ["container": "\(name)"])
        return record
    }

    private func unknown(_ name: String) -> AdminError {
        AdminError(.notFound, "container \(name): there is none of this name; `slimctl containers` lists them")
    }

    private func open(_ path: String) throws(AdminError) -> NetworkNamespace {
        do throws(Errno) { return try NetworkNamespace(path: path) } catch {
            throw AdminError(
                .badRequest,
                error == .invalidArgument
                    ? "\(path): is not a network namespace"
                    : "\(path): cannot be opened as a network namespace: \(error)")
        }
    }

    private func connect(
        _ name: String, _ network: borrowing NetworkNamespace, _ addresses: [IPAddress]
    ) throws(AdminError) {
        do throws(OverlayError) {
            try overlay.attach(namespace: network, container: name, addresses: addresses)
        } catch { throw AdminError(.unavailable, "\(error)") }
    }

    private func arrange(
        _ request: AttachRequest, _ network: borrowing NetworkNamespace, _ addresses: [IPAddress]
    ) throws(AdminError) {
        let name = request.name
        let arrangement: ContainerArrangement
        do throws(Errno) {
            arrangement = try ContainerArrangement(
                name: name, in: network, ipv4: addresses.first { $0.family == .v4 },
                ipv6: addresses.first { $0.family == .v6 }, labels: request.labels)
        } catch {
            try? overlay.detach(container: name, addresses: addresses)
            throw AdminError(
                .conflict,
                error == .addressInUse
                    ? "container \(name): another router serves its namespace already"
                    : "container \(name): its namespace cannot be prepared: \(error)")
        }
        let problem = mailbox.askAndWait { engine -> RouterError? in
            do throws(RouterError) {
                try engine.add(arrangement)
                return nil
            } catch { return error }
        }
        if let problem {
            try? overlay.detach(container: name, addresses: addresses)
            throw AdminError(.internalError, "\(problem)")
        }
    }

    private func chooseAddresses(_ request: AttachRequest) throws(AdminError) -> [IPAddress] {
        let texts = [request.ipv4, request.ipv6].compactMap { $0 }
        guard !texts.isEmpty else {
            guard let addresses = pool.take() else {
                throw AdminError(
                    .unavailable, "container \(request.name): every address of this host's subnets is in use")
            }
            return addresses
        }
        var chosen: [IPAddress] = []
        for text in texts {
            guard let address = IPAddress(text), pool.claim(address) else {
                pool.release(chosen)
                throw AdminError(.conflict, "container \(request.name): \(text) is in use or not this host's to give")
            }
            chosen.append(address)
        }
        return chosen
    }

    func detach(_ name: String) throws(AdminError) {
        guard attached[name] != nil else { throw unknown(name) }
        do throws(OverlayError) { try release(name) } catch { throw AdminError(.internalError, "\(error)") }
        logger.info("container detached", metadata: ["container": "\(name)"])
    }

    /// Lets go containers that nobody can get into any more: no process is left in their namespace, and where it was
    /// found is nothing, or another one. The router's own socket keeps such a namespace alive.
    func detachVanished() {
        for (name, container) in attached {
            guard let file = container.file, NamespaceFile(path: container.record.netns) != file, !file.hasProcesses
            else {
                continue
            }
            do throws(OverlayError) {
                try release(name)
                logger.info("container detached: its namespace has gone", metadata: ["container": "\(name)"])
            } catch { logger.error("container \(name) has gone but its link stays", metadata: ["error": "\(error)"]) }
        }
    }

    private func release(_ name: String) throws(OverlayError) {
        guard let record = attached.removeValue(forKey: name)?.record else { return }
        mailbox.askAndWait { $0.removeContainer(named: name) }
        pool.release(record.addresses)
        save()
        try overlay.detach(container: name, addresses: record.addresses)
        // An address that is nobody's lets nothing through, whatever the filter says about its former holder.
        try? policy.update(containers: records)
    }

    private func save() {
        do { try store.save(records) } catch {
            logger.error("the list of containers cannot be written", metadata: ["error": "\(error)"])
        }
    }
}

extension AttachRequest {
    fileprivate init(_ record: ContainerStore.Record) {
        self.init(
            name: record.name, netns: record.netns, labels: record.labels, ipv4: record.ipv4, ipv6: record.ipv6)
    }
}
