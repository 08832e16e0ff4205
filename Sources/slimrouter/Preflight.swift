internal import FoundationEssentials
internal import SlimConfiguration
internal import SlimPKI

/// What `--check` looks at beyond the configuration itself: certificates, and the directory of peers.
struct Preflight {
    private let configuration: RouterConfiguration
    private let file: String

    init(_ configuration: RouterConfiguration, file: String) {
        self.configuration = configuration
        self.file = file
    }

    /// Prints one line when all is well.
    func run() throws {
        try checkCredentials()
        if let problem = try EmbeddedRegistry.problems(of: configuration, file: file).first {
            throw Problem(description: problem)
        }
        print("\(file): ok (host \(configuration.name), peers: \(configuration.peers.count))")
    }

    private func checkCredentials() throws {
        let files = configuration.pki
        let details = try PKI.checkCredentials(
            host: configuration.name, certificate: files.certificate, key: files.key, authority: files.authority)
        guard !details.isExpired() else {
            throw Problem(
                description:
                    "\(files.certificate): has expired on \(details.notAfter.formatted(.iso8601)); renew it with `slimctl pki renew \(configuration.name)`"
            )
        }
    }

    private struct Problem: Error, CustomStringConvertible {
        let description: String
    }
}
