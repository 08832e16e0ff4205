internal import CNftables
internal import SlimSystem
internal import SystemPackage

/// Gives commands to nftables, in one network namespace.
package final class Nftables: Sendable {
    private let namespace: NetworkNamespace

    /// Prepares to act in the calling thread's network namespace.
    package init() throws(PacketFilterError) {
        do throws(Errno) { namespace = try NetworkNamespace.current() } catch {
            throw PacketFilterError(message: "packet filter: open the network namespace: \(error)")
        }
    }

    /// Runs commands, all or none of them.
    package func run(_ commands: String) throws(PacketFilterError) {
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
            message: "packet filter: the kernel refuses the tables of nftables: \(reason); "
                + "Slim needs root (CAP_NET_ADMIN) and a kernel with nf_tables and nft_ct")
    }
}
