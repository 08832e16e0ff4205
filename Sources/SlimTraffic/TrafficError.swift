internal import SlimNetlink
internal import SlimPacketFilter
internal import SystemPackage

/// Why the kernel does not limit or prefer traffic as it should: one line.
package struct TrafficError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    package var description: String { message }
}

/// Runs what netlink does, and says of a refusal what it was for.
func explaining<Value>(_ body: () throws(NetlinkError) -> Value) throws(TrafficError) -> Value {
    do throws(NetlinkError) { return try body() } catch {
        let advice =
            switch error.errno {
            case .noSuchFileOrDirectory, .notSupported, .notSupportedOnSocket:
                "; the kernel needs ifb, sch_htb, sch_ingress, cls_bpf and act_mirred"
            case .fileExists:
                "; something else of that name, or a queue \"ingress\" in place of \"clsact\", is in the way"
            default: ""
            }
        throw TrafficError(message: "rates: \(error)\(advice)")
    }
}

func explaining(_ body: () throws(PacketFilterError) -> Void) throws(TrafficError) {
    do throws(PacketFilterError) { try body() } catch { throw TrafficError(message: "rates: \(error)") }
}
