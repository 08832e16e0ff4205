internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem

/// A listening socket of a container, held by the router, and the channel that stands in its place in the program.
final class Listener {
    /// A connection that the channel had no room for yet. Whoever drops it closes the descriptor.
    struct Parked {
        let descriptor: CInt
        let message: slim_accept
    }

    let id: UInt64
    let container: Container
    let endpoint: Endpoint
    let family: KernelAddress.Family
    let isV6Only: Bool
    let original: EntrustedDescriptor
    /// The router's end of the channel.
    let channel: EntrustedDescriptor
    /// The identity of the program's end, by which requests name the listener.
    let programEnd: SocketCookie
    var originalToken: UInt64 = 0
    var channelToken: UInt64 = 0

    /// What accepted connections inherit from the listening socket.
    var options: SocketOptions
    var optionsMayHaveChanged = false
    /// Whether connections from this host may skip the TCP stack.
    var isJoining = false
    var parked: [Parked] = []
    var accepted: UInt64 = 0
    /// The container's count of deliveries when this listener had its last.
    var lastServed: UInt64 = 0
    var isPaused = false
    var isClosed = false

    init(
        id: UInt64, container: Container, endpoint: Endpoint, family: KernelAddress.Family, isV6Only: Bool,
        original: consuming OwnedDescriptor, channel: consuming OwnedDescriptor, programEnd: SocketCookie,
        options: SocketOptions
    ) {
        self.id = id
        self.container = container
        self.endpoint = endpoint
        self.family = family
        self.isV6Only = isV6Only
        self.original = EntrustedDescriptor(original)
        self.channel = EntrustedDescriptor(channel)
        self.programEnd = programEnd
        self.options = options
    }

    deinit {
        // As the kernel does with what nobody has accepted.
        for waiting in parked {
            let connection = OwnedDescriptor(waiting.descriptor)
            StreamSocket.resetOnClose(connection.raw)
        }
        channel.close(by: container.disposal)
        original.closeSocket(by: container.disposal)
    }

    /// How well the listener fits an address: 0 not at all, 2 exactly, 1 as a wildcard.
    func rank(for address: IPAddress) -> Int {
        if endpoint.address == address { return 2 }
        guard endpoint.address.isUnspecified else { return 0 }
        return switch (family, address.family) {
        case (.v4, .v4), (.v6, .v6): 1
        case (.v6, .v4): isV6Only ? 0 : 1
        case (.v4, .v6): 0
        }
    }
}
