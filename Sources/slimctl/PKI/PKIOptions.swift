internal import ArgumentParser

/// Where certificates and keys are, and how long new ones are valid.
struct PKIOptions: ParsableArguments {
    @Option(help: "Where the authority and the hosts' certificates are.", completion: .directory) var directory =
        "/etc/slim/pki"
    @Option(help: "How many days the certificate is valid; by default 3650 for the authority, 825 for a host.")
    var days: Int?

    func validate() throws {
        if let days, !(1...36500).contains(days) { throw ValidationError("--days: write a number from 1 to 36500") }
    }

    var lifetime: Duration? { days.map { .seconds(Int64($0) * 86_400) } }

    func path(_ file: String) -> String { "\(directory)/\(file)" }
}
