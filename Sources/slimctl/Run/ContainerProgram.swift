internal import CSlimSystem
internal import SlimSystem
internal import SystemPackage

/// A program in namespaces of its own: standard streams and the terminal are this process's.
struct ContainerProgram: Sendable {
    let arguments: [String]
    /// `NAME=value`
    let environment: [String]

    /// Starts the program.
    ///
    /// - Returns: its process; `nil`-terminated lists and strings are the C side's only during the call.
    /// - Throws: what `exec` said, too: `ENOENT` when there is no such program.
    func start(in namespaces: NewNamespaces) throws(Errno) -> Process {
        let arguments = CStrings(arguments)
        let environment = CStrings(environment)
        var program = slim_lab_program()
        program.program = UnsafePointer(arguments.list[0])
        program.arguments = UnsafePointer(arguments.list)
        program.environment = UnsafePointer(environment.list)
        program.namespaces = namespaces.descriptors
        (program.input, program.output, program.error) = (-1, -1, -1)
        let id = try systemCall { slim_lab_spawn(&program) }
        withExtendedLifetime((arguments, environment, namespaces)) {}
        return Process(id: id)
    }

    /// A running program, to be waited for once.
    struct Process: Sendable {
        let id: CInt

        /// Passes signals on to the program and waits for its end, on a thread of its own.
        ///
        /// - Returns: its exit status, 128 + signal when a signal ended it.
        func end() async throws -> CInt {
            let id = id
            return try await withCheckedThrowingContinuation { continuation in
                do throws(Errno) {
                    try startThread(named: "slim-wait") {
                        slim_run_forward_signals(id)
                        continuation.resume(returning: slim_run_wait(id))
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}

/// A list of C strings that ends with a null pointer, as `exec` takes it.
private final class CStrings {
    let list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        list = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            let bytes = string.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (offset, byte) in bytes.enumerated() { (copy + offset).initialize(to: byte) }
            (list + index).initialize(to: copy)
        }
        (list + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { list[index]?.deallocate() }
        list.deallocate()
    }
}
