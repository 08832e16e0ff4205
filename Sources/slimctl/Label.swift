internal import ArgumentParser

/// `key=value` on the command line.
struct Label: ExpressibleByArgument {
    let key: String
    let value: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        key = String(parts[0])
        value = String(parts[1])
    }
}

extension [Label] {
    /// The last of a key counts.
    var dictionary: [String: String] { reduce(into: [:]) { $0[$1.key] = $1.value } }
}
