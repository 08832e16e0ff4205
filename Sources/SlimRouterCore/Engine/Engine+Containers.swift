internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

extension Engine {
    /// Serves a container from now on. One of the same name must be gone.
    func add(_ arrangement: ContainerArrangement) throws(RouterError) {
        let container = Container(arrangement)
        container.doorToken = sources.add(.door(container))
        do throws(Errno) { try epoll.add(container.door.raw, .read, token: container.doorToken) } catch {
            sources.remove(container.doorToken)
            throw RouterError("container \(container.name): epoll: \(error)")
        }
        containers[container.name] = container
        containersByNamespace[container.namespace] = container
        for address in [container.ipv4, container.ipv6].compactMap({ $0 }) {
            containersByAddress[address] = container
            invalidate(address)
        }
        announce(container)
    }

    /// Lets a container go: its listeners end, its programs are on their own. Connections live on.
    func removeContainer(named name: String) {
        guard let container = containers.removeValue(forKey: name) else { return }
        for listener in container.listeners.values.flatMap({ $0 }) { close(listener) }
        for link in container.links.values { close(link) }
        withdrawAll(from: container)
        epoll.remove(container.door.raw)
        container.shut()
        sources.remove(container.doorToken)
        containersByNamespace[container.namespace] = nil
        for address in [container.ipv4, container.ipv6].compactMap({ $0 }) {
            containersByAddress[address] = nil
            invalidate(address)
        }
        announceEnd(of: container)
    }

    /// Accepts programs that turn to the router, and tells them at once what they need to know.
    func admit(to container: Container) {
        for _ in 0..<64 {
            do throws(Errno) {
                guard let descriptor = try LocalSocket.accept(container.door.raw) else { return }
                guard container.links.count < settings.socketsPerContainer else {
                    log.warning(
                        "links \(container.name)",
                        "container \(container.name): more than \(settings.socketsPerContainer) programs at once; "
                            + "further ones use the packet overlay (limits.socketsPerContainer)")
                    container.disposal.close(descriptor)
                    guard isBearable(container) else { return }
                    continue
                }
                let link = ApplicationLink(descriptor, container: container)
                try LocalSocket.send(greeting(for: container), to: link.descriptor.raw)
                link.token = sources.add(.application(link))
                do throws(Errno) { try epoll.add(link.descriptor.raw, .read, token: link.token) } catch {
                    sources.remove(link.token)
                    throw error
                }
                container.links[ObjectIdentifier(link)] = link
            } catch {
                if error == .tooManyOpenFiles, hangUp(on: container.door.raw) {
                    log.error(
                        "descriptors",
                        "\(error): programs are left to the packet overlay; raise the limit of slimrouter (ulimit -n, LimitNOFILE)"
                    )
                    continue
                }
                if starve(error, of: container.door.raw, container.doorToken) { return }
                if error != .brokenPipe {
                    log.warning("admit", "container \(container.name): a program cannot be served: \(error)")
                }
                return
            }
        }
    }

    private func greeting(for container: Container) -> slim_greeting {
        var greeting = slim_greeting()
        greeting.header = slim_header(SLIM_OP_GREETING)
        greeting.namespace_cookie = container.namespace.rawValue
        greeting.prefix_count = UInt32(min(settings.prefixes.count, Int(SLIM_PREFIXES)))
        withUnsafeMutableBytes(of: &greeting.prefixes) { bytes in
            for (index, prefix) in settings.prefixes.prefix(Int(SLIM_PREFIXES)).enumerated() {
                let address = slim_address(Endpoint(prefix.address, Port(0)))
                let entry = slim_prefix(family: address.family, length: UInt16(prefix.length), bytes: address.bytes)
                bytes.storeBytes(
                    of: entry, toByteOffset: index * MemoryLayout<slim_prefix>.stride, as: slim_prefix.self)
            }
        }
        return greeting
    }

    func close(_ link: ApplicationLink) {
        guard !link.isClosed else { return }
        link.isClosed = true
        epoll.remove(link.descriptor.raw)
        sources.remove(link.token)
        for queue in link.queues { close(queue) }
        link.container.links[ObjectIdentifier(link)] = nil
    }
}
