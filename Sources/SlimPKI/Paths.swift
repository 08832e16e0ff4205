/// Where an authority's files are.
struct AuthorityPaths {
    let certificate: String
    let key: String

    init(_ directory: String) {
        certificate = directory + "/ca.crt"
        key = directory + "/ca.key"
    }
}

/// Where a host's files are.
struct HostPaths {
    let certificate: String
    let key: String

    /// - Throws: `.invalidName` for a name that cannot be a host's, such as `ca`, whose files are the authority's.
    init(_ host: String, in directory: String) throws(PKIError) {
        guard PKI.isHostName(host) else { throw PKI.invalidName("host name", host) }
        guard host != "ca" else {
            throw PKIError(
                .invalidName, "host name \"ca\" is not usable: ca.crt and ca.key are the authority's; choose another")
        }
        certificate = "\(directory)/\(host).crt"
        key = "\(directory)/\(host).key"
    }
}
