internal import CNftables
internal import SlimSystem
internal import Synchronization
internal import SystemPackage

/// The packet policy of one host, in the kernel: Slim's own tables of nftables, `inet slim` and `bridge slim`.
///
/// What is laid down holds until it is replaced or removed, with or without a router.
package final class PacketFilter: Sendable {
    private let namespace: NetworkNamespace
    /// What holds, as far as this object laid it down. One change after the other.
    private let laidDown = Mutex<String?>(nil)

    /// Prepares to act in the calling thread's network namespace.
    package init() throws(PacketFilterError) {
        do throws(Errno) { namespace = try NetworkNamespace.current() } catch {
            throw PacketFilterError(message: "packet filter: open the network namespace: \(error)")
        }
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
            try run(text)
            laidDown = text
        }
    }

    /// Takes the tables away: everything passes, unchecked. Where there are none is nothing to do.
    package func remove() throws(PacketFilterError) {
        try laidDown.withLock { (laidDown) throws(PacketFilterError) in
            laidDown = nil
            try run(Ruleset.removal)
        }
    }

    /// Whether the tables are there: others may have flushed all rules of the host.
    package func isPresent() -> Bool {
        (try? run("list chain bridge \(Ruleset.table) \(Ruleset.firstChain)\n")) != nil
    }

    /// Runs commands of nftables, all or none of them.
    private func run(_ commands: String) throws(PacketFilterError) {
        let failure: String?
        do throws(Errno) {
            failure = try namespace.run { () throws(Errno) in
                guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else { throw .noMemory }
                defer { nft_ctx_free(context) }
                nft_ctx_buffer_output(context)
                nft_ctx_buffer_error(context)
                guard nft_run_cmd_from_buffer(context, commands) != 0 else { return nil }
                return nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? "unknown reason"
            }
        } catch { throw PacketFilterError(message: "packet filter: \(error)") }
        guard let failure else { return }
        let reason = failure.split(separator: "\n").first.map(String.init) ?? failure
        throw PacketFilterError(
            message: "packet filter: the kernel refuses the tables \"\(Ruleset.table)\" of nftables: \(reason); "
                + "Slim needs root (CAP_NET_ADMIN) and a kernel with nf_tables and nft_ct")
    }
}
