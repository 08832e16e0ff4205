internal import ArgumentParser

/// Why a program could not be run in a new container.
struct RunError: Error, CustomStringConvertible {
    let status: ExitCode
    let description: String
}
