internal import SlimSystem
internal import Synchronization

/// Carries a descriptor from one thread to another: put once, taken at most once, closed if never taken.
final class Handover: Sendable {
    private let raw = Atomic<CInt>(-1)

    init() {}

    init(_ descriptor: consuming OwnedDescriptor) { put(descriptor) }

    func put(_ descriptor: consuming OwnedDescriptor) {
        let previous = raw.exchange(descriptor.release(), ordering: .acquiringAndReleasing)
        if previous >= 0 { _ = OwnedDescriptor(previous) }
    }

    func take() -> OwnedDescriptor { OwnedDescriptor(raw.exchange(-1, ordering: .acquiringAndReleasing)) }

    deinit {
        let left = raw.load(ordering: .acquiring)
        if left >= 0 { _ = OwnedDescriptor(left) }
    }
}
