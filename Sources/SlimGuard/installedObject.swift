internal import FoundationEssentials

/// A file of compiled programs, beside the program that runs: in `../lib/slim` or `../lib`.
func installedObject(_ name: String) throws(GuardError) -> String {
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let folder = program.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
    let places = ["\(folder)/lib/slim/\(name)", "\(folder)/lib/\(name)"]
    if let found = places.first(where: FileManager.default.fileExists) { return found }
    throw GuardError(
        .missingFile, "\(name) is missing in \(folder)/lib/slim; install Slim again, or build it with `make`")
}
