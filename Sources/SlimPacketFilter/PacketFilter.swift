internal import Synchronization

/// The packet policy of one host, in the kernel: Slim's own tables of nftables, `inet slim` and `bridge slim`.
///
/// What is laid down holds until it is replaced or removed, with or without a router.
package final class PacketFilter: Sendable {
    private let nftables: Nftables
    /// What holds, as far as this object laid it down. One change after the other.
    private let laidDown = Mutex<String?>(nil)

    /// Prepares to act in the calling thread's network namespace.
    package init() throws(PacketFilterError) {
        nftables = try Nftables()
    }

    /// Makes rules hold in place of those before, in one step: no packet sees anything between. Flows that stay allowed do
    /// not notice.
    ///
    /// Blocks until the kernel has answered; from then on every packet obeys, of established flows too.
    /// - Throws: when the kernel refuses; then what held before holds.
    package func apply(_ rules: PacketRules) throws(PacketFilterError) {
        let text = Ruleset(rules).text
        try laidDown.withLock { (laidDown) throws(PacketFilterError) in
            if laidDown == text, isPresent() { return }
            try nftables.run(text)
            laidDown = text
        }
    }

    /// Takes the tables away: everything passes, unchecked. Where there are none is nothing to do.
    package func remove() throws(PacketFilterError) {
        try laidDown.withLock { (laidDown) throws(PacketFilterError) in
            laidDown = nil
            try nftables.run(Ruleset.removal)
        }
    }

    /// Whether the tables are there: others may have flushed all rules of the host.
    package func isPresent() -> Bool {
        (try? nftables.run("list chain bridge \(Ruleset.table) \(Ruleset.firstChain)\n")) != nil
    }
}
