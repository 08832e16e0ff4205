/// Whether one endpoint may connect to another: `POST /v1/policy/explain`.
package struct ExplainRequest: Codable, Equatable, Sendable {
    /// A container's name, `host/container`, or an address.
    package var from: String
    package var to: String
    /// Absent for protocols that have none.
    package var port: UInt16?
    /// `tcp`, `udp`, `icmp` or `other`.
    package var `protocol`: String

    package init(from: String, to: String, port: UInt16?, protocol: String) {
        self.from = from
        self.to = to
        self.port = port
        self.protocol = `protocol`
    }
}

/// What both ends say.
package struct ExplainReport: Codable, Equatable, Sendable {
    /// One end's word.
    package struct Verdict: Codable, Equatable, Sendable {
        /// `egress` or `ingress`.
        package var direction: String
        /// The host whose router says it.
        package var host: String
        /// `allow`, `reject`, `drop`, or `unknown` when that router does not answer.
        package var verdict: String
        /// The rule that decides, or the default that does.
        package var reason: String

        package init(direction: String, host: String, verdict: String, reason: String) {
            self.direction = direction
            self.host = host
            self.verdict = verdict
            self.reason = reason
        }
    }

    package var from: String
    package var to: String
    /// Whether no end denies it.
    package var isAllowed: Bool
    package var verdicts: [Verdict]

    package init(from: String, to: String, isAllowed: Bool, verdicts: [Verdict]) {
        self.from = from
        self.to = to
        self.isAllowed = isAllowed
        self.verdicts = verdicts
    }
}
