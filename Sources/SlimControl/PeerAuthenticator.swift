internal import SlimPKI
internal import SlimRegistry

/// Decides who is at the other end, from a certificate that the cluster's authority has signed.
struct PeerAuthenticator {
    /// Why a peer is not believed; told to it and logged.
    struct Refusal: Error, Equatable { let reason: String }

    let ownName: String
    /// The hosts of the registry, by name.
    var hosts: [String: HostRecord]

    /// The hosts that the holder of a certificate may be.
    ///
    /// - Parameter dialled: the host that we meant to reach; `nil` for a connection that came to us.
    func candidates(for details: CertificateDetails, dialled: String?) throws(Refusal) -> [String] {
        let names = details.names.map(\.debugDescription).joined(separator: ", ")
        let claimed = names.isEmpty ? "names no host" : "is for \(names)"
        if let dialled, !details.names.contains(dialled) {
            throw Refusal(reason: "its certificate \(claimed), not for \(dialled)")
        }
        let known = details.names.filter { name in hosts[name] != nil && dialled ?? name == name }
        guard !known.isEmpty else {
            throw Refusal(reason: "its certificate \(claimed), which is no host in \(ownName)'s registry")
        }
        let pinned = known.filter { hosts[$0]?.certificateFingerprint.map { $0 == details.fingerprint } ?? true }
        guard !pinned.isEmpty else {
            throw Refusal(
                reason: "its certificate is not the one that \(ownName) has pinned for \(known.joined(separator: ", "))"
            )
        }
        // One of each pair dials, so that there is one connection.
        let directed = pinned.filter { dialled != nil || $0.utf8.lexicographicallyPrecedes(ownName.utf8) }
        guard !directed.isEmpty else {
            throw Refusal(
                reason:
                    "\(ownName) dials \(pinned.joined(separator: ", ")), not the other way round: are two hosts configured with the same name?"
            )
        }
        return directed
    }

    /// The host that a greeting is from.
    func peer(greeting: Greeting, own: Greeting, candidates: [String]) throws(Refusal) -> String {
        guard own.agreedVersion(with: greeting) != nil else {
            throw Refusal(
                reason:
                    "it speaks \(greeting.versions) of the control protocol, \(ownName) speaks \(own.versions): upgrade the older of the two"
            )
        }
        guard candidates.contains(greeting.name) else {
            throw Refusal(
                reason:
                    "it calls itself \(greeting.name.prefix(64).debugDescription), but its certificate is for \(candidates.joined(separator: ", "))"
            )
        }
        return greeting.name
    }

    /// Whether a host with this certificate would still be believed.
    func believes(_ name: String, fingerprint: String) -> Bool {
        guard let host = hosts[name] else { return false }
        return host.certificateFingerprint.map { $0 == fingerprint } ?? true
    }
}
