/// What makes host sockets harmless.
package enum GuardKind: String, Codable, CaseIterable, Sendable {
    case module, bpf
}

/// What the operator wishes for.
package enum GuardChoice: String, Codable, CaseIterable, Sendable {
    /// The kernel module when it is loaded or can be loaded, else BPF.
    case auto
    case module, bpf
}
