internal import ArgumentParser
internal import SlimAdmin

struct PolicyExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tells whether a connection is allowed, at each end, and by what.",
        discussion:
            "Exit status 0: allowed; 1: denied, or not known because a router does not answer; 2: no such endpoint.")

    @OptionGroup var router: RouterOptions
    @Argument(help: "Who connects: a container's name, HOST/NAME, or an address.") var from: String
    @Argument(
        help: ArgumentHelp(
            "To whom: the same, with a port and perhaps a protocol (tcp, udp, icmp, other): web:80, 10.32.2.2:53/udp, [fd00:32::2]:80, web/icmp.",
            valueName: "to:port[/protocol]"))
    var to: FlowTarget
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let report = try await router.client().explain(
            ExplainRequest(from: from, to: to.name, port: to.port, protocol: to.transport))
        if json {
            try Output.writeJSON(report)
        } else {
            Output.write("\(report.from) to \(report.to): \(report.isAllowed ? "allowed" : "not allowed")\n")
            for verdict in report.verdicts {
                Output.write("  \(verdict.direction) at \(verdict.host): \(verdict.verdict) (\(verdict.reason))\n")
            }
        }
        if !report.isAllowed { throw ExitCode.failure }
    }
}

/// Whom a connection goes to, as it is typed.
struct FlowTarget: ExpressibleByArgument {
    let name: String
    let port: UInt16?
    let transport: String

    init?(argument: String) {
        var rest = Substring(argument)
        var transport = "tcp"
        // A slash may also divide host and container.
        if let slash = rest.lastIndex(of: "/"),
            ["tcp", "udp", "icmp", "other"].contains(rest[rest.index(after: slash)...])
        {
            transport = String(rest[rest.index(after: slash)...])
            rest = rest[..<slash]
        }
        self.transport = transport
        guard transport == "tcp" || transport == "udp" else {
            name = Self.unbracketed(rest)
            port = nil
            return
        }
        guard let colon = rest.lastIndex(of: ":"), let number = UInt16(rest[rest.index(after: colon)...]), number > 0
        else {
            return nil
        }
        name = Self.unbracketed(rest[..<colon])
        port = number
    }

    private static func unbracketed(_ text: Substring) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
    }
}
