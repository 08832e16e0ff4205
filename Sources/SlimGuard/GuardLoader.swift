/// Puts a guard into force.
package enum GuardLoader {
    /// - Parameter directory: the router's own. With BPF this process joins the control group that belongs to it.
    /// - Throws: with `auto`, why neither guard can be had.
    package static func load(_ choice: GuardChoice, directory: String) throws(GuardError) -> any SocketGuard {
        switch choice {
        case .module: return try ModuleGuard()
        case .bpf: return try loadBPF(directory)
        case .auto:
            let reason: GuardError
            do throws(GuardError) { return try ModuleGuard() } catch { reason = error }
            do throws(GuardError) { return try loadBPF(directory) } catch {
                throw GuardError(error.code, "neither guard works: \(error); \(reason)")
            }
        }
    }

    private static func loadBPF(_ directory: String) throws(GuardError) -> BPFGuard {
        let socketGuard = try BPFGuard(directory: directory, file: try BPFGuard.installedFile())
        try socketGuard.enter()
        try socketGuard.prove()
        return socketGuard
    }
}
