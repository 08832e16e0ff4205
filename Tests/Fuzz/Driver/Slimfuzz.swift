import Foundation

/// `slimfuzz HARNESS [option of libFuzzer]...` looks for inputs that a harness does not stand. `slimfuzz --seeds` writes the
/// well-formed inputs of all harnesses to the corpora.
@main
struct Slimfuzz {
    /// In one process one harness runs, on one thread.
    nonisolated(unsafe) static var harness: (any Harness)?

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "--seeds" { return try writeSeeds() }
        guard let type = Harnesses.all.first(where: { $0.name == arguments.first }) else {
            let names = Harnesses.all.map { $0.name }.joined(separator: " | ")
            FileHandle.standardError.write(
                Data("usage: slimfuzz --seeds | HARNESS [-option=value]...; HARNESS: \(names)\n".utf8))
            exit(2)
        }
        let work = Project.root + "/build/fuzz"
        let found = "\(work)/\(type.name)"
        try FileManager.default.createDirectory(atPath: found, withIntermediateDirectories: true)
        let dictionary = "\(work)/\(type.name).words"
        try type.words.map(quoted).joined(separator: "\n").write(toFile: dictionary, atomically: true, encoding: .utf8)
        harness = try type.init()
        let defaults = [
            "-max_len=\(type.longest)", "-dict=\(dictionary)", "-artifact_prefix=\(work)/\(type.name)-", "-timeout=10",
            "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-detect_leaks=0", "-use_value_profile=0",
            "-print_final_stats=1",
        ]
        // Options that stand later count.
        let options = defaults + arguments.dropFirst()
        let isReplay = options.contains { !$0.hasPrefix("-") }
        run(["slimfuzz"] + options + (isReplay ? [] : [found, "\(Project.corpora)/\(type.name)"]))
    }

    private static func run(_ arguments: [String]) -> Never {
        var count = CInt(arguments.count)
        var pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { pointers?[index] = strdup(argument) }
        pointers?[arguments.count] = nil
        exit(
            runDriver(&count, &pointers) { bytes, length in
                do { try Slimfuzz.harness?.run(UnsafeRawBufferPointer(start: bytes, count: length)) } catch {
                    FileHandle.standardError.write(Data("Finding: \(error)\n".utf8))
                    abort()
                }
                return 0
            })
    }

    private static func quoted(_ word: String) -> String {
        "\"" + word.utf8.map { byte in "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() + "\""
    }

    private static func writeSeeds() throws {
        for type in Harnesses.all {
            let folder = "\(Project.corpora)/\(type.name)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (index, seed) in try type.seeds().enumerated() {
                try Data(seed).write(to: URL(filePath: "\(folder)/seed-\(index)"))
            }
        }
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
