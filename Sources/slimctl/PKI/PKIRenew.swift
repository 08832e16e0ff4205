internal import ArgumentParser
internal import SlimPKI

struct PKIRenew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Gives a host a new certificate in place of the one it has.",
        discussion: "The key stays, so that copying HOST.crt to the host is enough.")

    @OptionGroup var options: PKIOptions
    @Argument(help: "The name of the host in the cluster.") var host: String
    @Flag(help: "Make a new key too.") var newKey = false

    func run() async throws {
        try PKI.renew(
            host: host, directory: options.directory, validFor: options.lifetime ?? PKI.hostLifetime, newKey: newKey)
        Output.write("\(options.path("\(host).crt"))\n" + (newKey ? "\(options.path("\(host).key"))\n" : ""))
    }
}
