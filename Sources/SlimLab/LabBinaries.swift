internal import Glibc

/// The programs under test: the router and the preloaded library.
package struct LabBinaries: Sendable {
    package let router: String
    package let library: String

    package init(router: String, library: String) {
        self.router = router
        self.library = library
    }

    /// Finds them beside the running program: `slimrouter` in its folder, `libslimsocket.so` in `../lib/slim` or `../lib`.
    /// `SLIM_BIN` and `SLIM_LIB`, folders both, come first.
    ///
    /// - Throws: ``LabError`` with `.machine`, which names the places looked at.
    package static func find() throws(LabError) -> LabBinaries {
        let folder = folderOfProgram()
        let binaries = [variable("SLIM_BIN"), folder].compactMap(\.self)
        let libraries = [variable("SLIM_LIB"), folder + "/../lib/slim", folder + "/../lib"].compactMap(\.self)
        let library = try first("libslimsocket.so", in: libraries)
        guard !library.contains(where: { $0 == " " || $0 == ":" }) else {
            throw LabError(
                .machine,
                "\(library): LD_PRELOAD cannot hold a path with a blank or a colon; move the project, or set SLIM_LIB to a copy of the folder"
            )
        }
        return LabBinaries(router: try first("slimrouter", in: binaries), library: library)
    }

    private static func first(_ name: String, in folders: [String]) throws(LabError) -> String {
        for folder in folders where access("\(folder)/\(name)", R_OK) == 0 {
            guard let resolved = realpath("\(folder)/\(name)", nil) else { continue }
            defer { free(resolved) }
            return String(cString: resolved)
        }
        throw LabError(.machine, "\(name) is missing in \(folders.joined(separator: " and ")); build it with `make`")
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func folderOfProgram() -> String {
        guard let resolved = realpath("/proc/self/exe", nil) else { return "." }
        defer { free(resolved) }
        let path = String(cString: resolved)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
