internal import ArgumentParser
internal import SlimPKI

struct PKIIssue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Makes a host's certificate and key: HOST.crt and HOST.key.")

    @OptionGroup var options: PKIOptions
    @Argument(help: "The name of the host in the cluster: \"name\" of its router.json.") var host: String

    func run() async throws {
        try PKI.issue(host: host, directory: options.directory, validFor: options.lifetime ?? PKI.hostLifetime)
        Output.write("\(options.path("\(host).crt"))\n\(options.path("\(host).key"))\n")
    }
}
