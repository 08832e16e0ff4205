internal import SlimSystem

/// A program's connection to the router. It has one request under way at most; while that one waits for a peer,
/// nothing more is read.
final class ApplicationLink {
    let descriptor: EntrustedDescriptor
    let container: Container
    var token: UInt64 = 0
    var isWaiting = false
    var isClosed = false

    init(_ descriptor: consuming OwnedDescriptor, container: Container) {
        self.descriptor = EntrustedDescriptor(descriptor)
        self.container = container
    }

    deinit { descriptor.close(by: container.disposal) }
}
