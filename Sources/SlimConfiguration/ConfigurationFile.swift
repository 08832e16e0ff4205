internal import SlimJSON

/// Reads a configuration file as a whole.
enum ConfigurationFile {
    /// Beyond this it is no configuration file; a cluster of thousands of hosts stays below it.
    static let largestBytes = 1 << 20

    static func read(_ path: String) throws(ConfigurationError) -> JSONValue {
        try JSONFile.read(path, largestBytes: largestBytes)
    }
}
