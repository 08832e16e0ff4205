internal import ArgumentParser
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimJSON
internal import SlimLab
internal import SlimOverlay
internal import SlimPKI
internal import SystemPackage

extension ExitCode {
    /// What was typed or written in a file is wrong, or this machine lacks something.
    static let badInput = ExitCode(2)

    /// The exit status that a failure ends with.
    static func of(_ error: any Error) -> ExitCode {
        switch error {
        case let error as AdminError: error.code == .badRequest ? .badInput : .failure
        case is ConfigurationError, is PKIError: .badInput
        case let error as OverlayError:
            error.code == .configuration || error.errno == .notPermitted ? .badInput : .failure
        case let error as LabError: of(error)
        case let error as RunError: error.status
        default: .failure
        }
    }

    private static func of(_ error: LabError) -> ExitCode {
        switch error.code {
        case .usage, .machine: .badInput
        // As a shell has it.
        case .notFound: ExitCode(127)
        case .notExecutable: ExitCode(126)
        case .state, .router: .failure
        }
    }
}
