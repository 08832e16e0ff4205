internal import SlimJSON

/// What a router is told: `router.json`.
package struct RouterConfiguration: Equatable, Sendable {
    /// Where `slimrouter` looks when it is told no other file.
    package static let defaultPath = "/etc/slim/router.json"

    /// Where the policy is looked for when `router.json` does not say.
    package static let defaultPolicyPath = "/etc/slim/policy.json"

    /// The host's name in the cluster; the name in its certificate.
    package var name: String
    package var underlay: Underlay
    package var overlay: OverlaySettings
    package var ports: Ports
    package var pki: Credentials
    /// The other hosts, as far as this file names them.
    package var peers: [Peer]
    /// A directory of `HOST.json` files, each an object like one of ``peers``; watched. `nil`: none.
    package var peersDirectory: String?
    /// The file of the policy. `nil`: ``defaultPolicyPath``, if there is one.
    package var policy: String?
    /// Where the router keeps its sockets and its state while the machine is up.
    package var directory: String
    package var secure: SecureSettings
    package var limits: Limits
    package var log: LogSettings

    enum Key: String, CodingKey, CaseIterable {
        case name, underlay, overlay, ports, pki, peers, peersDirectory, policy, directory, secure, limits, log
    }

    package init(
        name: String, underlay: Underlay, overlay: OverlaySettings, ports: Ports = Ports(), pki: Credentials,
        peers: [Peer] = [], peersDirectory: String? = nil, policy: String? = nil, directory: String = "/run/slim",
        secure: SecureSettings = SecureSettings(), limits: Limits = Limits(), log: LogSettings = LogSettings()
    ) {
        self.name = name
        self.underlay = underlay
        self.overlay = overlay
        self.ports = ports
        self.pki = pki
        self.peers = peers
        self.peersDirectory = peersDirectory
        self.policy = policy
        self.directory = directory
        self.secure = secure
        self.limits = limits
        self.log = log
    }

    /// The Unix socket that `slimctl` talks to.
    package var adminSocket: String { "\(directory)/admin.sock" }
}

extension RouterConfiguration: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        self.init(
            name: try object.required(.name).hostName(),
            underlay: try object.required(.underlay).read(Underlay.self),
            overlay: try object.required(.overlay).read(OverlaySettings.self),
            ports: try object.optional(.ports)?.read(Ports.self) ?? Ports(),
            pki: try object.required(.pki).read(Credentials.self),
            peers: try object.optional(.peers)?.readArray(of: Peer.self) ?? [],
            peersDirectory: try object.optional(.peersDirectory)?.filePath(),
            policy: try object.optional(.policy)?.filePath(),
            // The longest name of a socket in it still fits the 107 bytes of a Unix socket's address.
            directory: try object.optional(.directory)?.filePath(longest: 80) ?? "/run/slim",
            secure: try object.optional(.secure)?.read(SecureSettings.self) ?? SecureSettings(),
            limits: try object.optional(.limits)?.read(Limits.self) ?? Limits(),
            log: try object.optional(.log)?.read(LogSettings.self) ?? LogSettings())
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(underlay, forKey: .underlay)
        try container.encode(overlay, forKey: .overlay)
        try container.encode(ports, forKey: .ports)
        try container.encode(pki, forKey: .pki)
        try container.encode(peers, forKey: .peers)
        try container.encodeIfPresent(peersDirectory, forKey: .peersDirectory)
        try container.encodeIfPresent(policy, forKey: .policy)
        try container.encode(directory, forKey: .directory)
        try container.encode(secure, forKey: .secure)
        try container.encode(limits, forKey: .limits)
        try container.encode(log, forKey: .log)
    }
}
