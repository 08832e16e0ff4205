internal import FoundationEssentials
internal import Logging
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimOverlay
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Gives network namespaces addresses and the router's socket, and takes them back. One at a time, on a queue of its
/// own: netlink and namespace calls block.
actor ContainerManager {
    private nonisolated let executor = BlockingExecutor(label: "slim.containers")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let overlay: Overlay
    private let mailbox: Mailbox
    private let store: ContainerStore
    private let logger: Logger
    private var pool: AddressPool
    private(set) var records: [String: ContainerStore.Record] = [:]
    private var namespaces: [NamespaceCookie: String] = [:]

    init(
        configuration: RouterConfiguration, overlay: Overlay, mailbox: Mailbox, store: ContainerStore, logger: Logger
    ) {
        self.overlay = overlay
        self.mailbox = mailbox
        self.store = store
        self.logger = logger
        pool = AddressPool(configuration.overlay.subnets)
    }

    /// Serves the containers of the router before this one again. Those that are gone are forgotten.
    func restore() async {
        let known: [ContainerStore.Record]
        do { known = try store.load() } catch {
            logger.error("the list of containers cannot be read; attach them again", metadata: ["error": "\(error)"])
            return
        }
        for record in known {
            do throws(AdminError) { _ = try await attach(AttachRequest(record), restoring: true) } catch {
                logger.warning("container not restored", metadata: ["container": "\(record.name)", "error": "\(error)"])
                try? overlay.detach(container: record.name)
            }
        }
        save()
    }

    func attach(_ request: AttachRequest) async throws(AdminError) -> ContainerStore.Record {
        let record = try await attach(request, restoring: false)
        save()
        logger.info("container attached", metadata: ["container": "\(record.name)", "ipv4": "\(record.ipv4 ?? "-")"])
        return record
    }

    private func attach(_ request: AttachRequest, restoring: Bool) async throws(AdminError) -> ContainerStore.Record {
        guard records[request.name] == nil else {
            throw AdminError(.conflict, "container \(request.name): exists; detach it first or choose another name")
        }
        let network = try open(request.netns)
        let cookie: NamespaceCookie
        do throws(Errno) { cookie = try network.cookie() } catch {
            throw AdminError(.internalError, "\(request.netns): \(error); Slim needs Linux 5.14 or newer")
        }
        if let other = namespaces[cookie] {
            throw AdminError(.conflict, "\(request.netns): is attached already, as container \(other)")
        }
        let addresses = try chooseAddresses(request)
        do throws(AdminError) {
            try connect(request.name, network, addresses)
            try await arrange(request.name, network, addresses)
        } catch {
            pool.release(addresses)
            throw error
        }
        let record = ContainerStore.Record(
            name: request.name, netns: request.netns, labels: request.labels,
            ipv4: addresses.first { $0.family == .v4 }?.description,
            ipv6: addresses.first { $0.family == .v6 }?.description)
        records[request.name] = record
        namespaces[cookie] = request.name
        return record
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
        _ name: String, _ network: borrowing NetworkNamespace, _ addresses: [IPAddress]
    ) async throws(AdminError) {
        let arrangement: ContainerArrangement
        do throws(Errno) {
            arrangement = try ContainerArrangement(
                name: name, in: network, ipv4: addresses.first { $0.family == .v4 },
                ipv6: addresses.first { $0.family == .v6 })
        } catch {
            try? overlay.detach(container: name)
            throw AdminError(
                .conflict,
                error == .addressInUse
                    ? "container \(name): another router serves its namespace already"
                    : "container \(name): its namespace cannot be prepared: \(error)")
        }
        let problem = await mailbox.ask { engine -> RouterError? in
            do throws(RouterError) {
                try engine.add(arrangement)
                return nil
            } catch { return error }
        }
        if let problem {
            try? overlay.detach(container: name)
            throw AdminError(.internalError, "\(problem)")
        }
    }

    private func chooseAddresses(_ request: AttachRequest) throws(AdminError) -> [IPAddress] {
        let texts = [request.ipv4, request.ipv6].compactMap { $0 }
        guard !texts.isEmpty else {
            guard let addresses = pool.take() else {
                throw AdminError(.unavailable, "container \(request.name): every address of this host's subnets is in use")
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

    func detach(_ name: String) async throws(AdminError) {
        guard let record = records.removeValue(forKey: name) else {
            throw AdminError(.notFound, "container \(name): there is none of this name; `slimctl containers` lists them")
        }
        namespaces = namespaces.filter { $0.value != name }
        _ = await mailbox.ask { $0.removeContainer(named: name) }
        pool.release([record.ipv4, record.ipv6].compactMap { $0.flatMap { IPAddress($0) } })
        save()
        do throws(OverlayError) { try overlay.detach(container: name) } catch { throw AdminError(.internalError, "\(error)") }
        logger.info("container detached", metadata: ["container": "\(name)"])
    }

    private func save() {
        do { try store.save(records.values.sorted { $0.name < $1.name }) } catch {
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
