internal import ArgumentParser
internal import SlimPKI

struct PKIInit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Makes the cluster's authority: ca.crt and ca.key.",
        discussion: "Every host needs ca.crt. Keep ca.key where certificates are issued, and nowhere else.")

    @OptionGroup var options: PKIOptions
    @Option(help: "The name of the cluster.") var cluster = "slim"

    func run() async throws {
        try PKI.createAuthority(
            in: options.directory, clusterName: cluster, validFor: options.lifetime ?? PKI.authorityLifetime)
        Output.write("\(options.path("ca.crt"))\n\(options.path("ca.key"))\n")
    }
}
