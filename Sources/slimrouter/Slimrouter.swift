internal import ArgumentParser
internal import Logging
internal import SlimConfiguration
internal import SlimRouterCore
internal import SystemPackage

/// The daemon's command line; the daemon itself is SlimRouterCore.
@main
struct Slimrouter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slimrouter",
        abstract: "SlimRouter: gives this host's containers their network.",
        discussion:
            "Stops cleanly on SIGTERM; connections and listeners of containers live on until a new router takes them over.",
        version: "slimrouter \(SlimVersion.current)")

    /// What was typed or written in a file is wrong, or the router cannot start.
    private static let badInput = ExitCode(2)

    @Option(help: "The configuration.", completion: .file(extensions: ["json"])) var config = RouterConfiguration
        .defaultPath
    @Flag(help: "Check the configuration and the certificates, and do nothing else.") var check = false
    @Option(help: "text or json; overrides the configuration.") var logFormat: LogSettings.Format?
    @Option(help: "trace, debug, info, notice, warning, error or critical; overrides the configuration.") var logLevel:
        LogSettings.Level?

    @Option(help: .hidden) var keeper: String?

    static func main() async {
        do {
            let command = try parse()
            try await command.run()
        } catch {
            exit(with: error)
        }
    }

    func run() async throws {
        if let keeper { return try Keeper(path: keeper).run() }
        var configuration = try RouterConfiguration.load(config)
        if let logFormat { configuration.log.format = logFormat }
        if let logLevel { configuration.log.level = logLevel }
        if check { return try Preflight(configuration, file: config).run() }
        configuration.log.bootstrap()
        try await RouterDaemon(configuration: configuration, file: config, logger: Logger(label: "slimrouter")).run()
    }

    private static func exit(with error: any Error) -> Never {
        // Help and version are no errors; anything else is bad input or a router that cannot start.
        if exitCode(for: error) == .success || error is ExitCode { exit(withError: error) }
        let isUsage = exitCode(for: error) == .validationFailure
        let message = isUsage ? fullMessage(for: error) : "slimrouter: \(error)"
        _ = try? FileDescriptor.standardError.writeAll("\(message)\n".utf8)
        exit(withError: badInput)
    }
}

extension LogSettings.Format: ExpressibleByArgument {}
extension LogSettings.Level: ExpressibleByArgument {}
