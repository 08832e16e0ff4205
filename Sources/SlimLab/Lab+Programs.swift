internal import Glibc

extension Lab {
    /// The caller's environment, prepared for a program in a container.
    ///
    /// - Parameters:
    ///   - library: the preloaded library; `nil` leaves the program on the plain overlay.
    ///   - changes: `NAME=value`, which win over everything.
    package static func environment(library: String?, changes: [String] = []) -> [String] {
        var variables = inherited()
        // A program that is itself started under the library must be able to start others without.
        let preloaded = (variables["LD_PRELOAD"] ?? "").split(whereSeparator: { $0 == ":" || $0 == " " })
            .filter { !$0.hasSuffix("/libslimsocket.so") }.map(String.init)
        let preload = (library.map { [$0] } ?? []) + preloaded
        variables["LD_PRELOAD"] = preload.isEmpty ? nil : preload.joined(separator: ":")
        variables["SLIM_ROUTER"] = library == nil ? nil : "@slim"
        for change in changes {
            let parts = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        return variables.map { "\($0.key)=\($0.value)" }.sorted()
    }

    private static func inherited() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            next += 1
        }
        return variables
    }

    /// Replaces the running program with one in a container: standard streams, signals and exit status are then its own.
    package func execute(_ command: [String], inContainer name: String, library: String?, environment changes: [String])
        throws(LabError) -> Never
    {
        let environment = Self.environment(library: library, changes: changes)
        try LabProgram(command, environment: environment, node: try container(name).name).execute(in: directory)
    }

    /// Replaces the running program with one in a host's namespaces.
    package func execute(_ command: [String], onHost name: String) throws(LabError) -> Never {
        let environment = Self.environment(library: nil)
        try LabProgram(command, environment: environment, node: try host(name).name).execute(in: directory)
    }
}
