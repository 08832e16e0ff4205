internal import SlimSystem

/// The number of a descriptor that a container had a hand in: whoever holds it closes it, once, by way of a ``Disposal``.
struct EntrustedDescriptor {
    let raw: CInt

    init(_ descriptor: consuming OwnedDescriptor) { raw = descriptor.release() }

    /// Closes it elsewhere.
    func close(by disposal: Disposal) { disposal.close(OwnedDescriptor(raw)) }

    /// Closes a TCP socket: here, where that cannot take long.
    func closeSocket(by disposal: Disposal) {
        let descriptor = OwnedDescriptor(raw)
        if !StreamSocket.closesAtOnce(raw) { disposal.close(descriptor) }
    }
}
