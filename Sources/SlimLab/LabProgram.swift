internal import CSlimSystem
internal import SlimGuard
internal import Glibc
internal import SystemPackage

/// A program to be run in a host or container of a lab.
package struct LabProgram: Sendable {
    /// The program, looked up in PATH, and its arguments.
    package var arguments: [String]
    /// `NAME=value`, the last of a name counts.
    package var environment: [String]
    /// `nil`: the caller's where that exists, else the root.
    package var directory: String?
    /// A host or container; `nil` runs it where the caller is.
    package var node: String?

    /// A seccomp filter that it runs under.
    var filter: [UInt8] = []
    /// Descriptors that become its standard input, output and error; `nil` is the caller's.
    var input: CInt?
    var output: CInt?
    var error: CInt?

    package init(_ arguments: [String], environment: [String], directory: String? = nil, node: String? = nil) {
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.node = node
    }

    /// Replaces the running program with this one. Returns only by throwing.
    ///
    /// The corresponding C functions are `setns` and `execvpe`.
    func execute(in directory: LabDirectory) throws(LabError) -> Never {
        let code = try confined(in: directory).withCProgram(in: directory, detached: false) { program -> CInt in
            _ = slim_lab_execute(&program)
            return errno
        }
        throw failure(Errno(rawValue: code))
    }

    /// Starts the program; the caller waits for its end, unless it is detached.
    func spawn(in directory: LabDirectory, detached: Bool = false) throws(LabError) -> pid_t {
        let (id, code) = try confined(in: directory).withCProgram(in: directory, detached: detached) { program in
            let id = slim_lab_spawn(&program)
            return (id, errno)
        }
        guard id > 0 else { throw failure(Errno(rawValue: code)) }
        return id
    }

    /// The program as it runs in a container of a secure lab: under the filter that a runtime would give it.
    private func confined(in directory: LabDirectory) throws(LabError) -> LabProgram {
        guard let node, LabFile.exists(directory.mountNamespace(of: node)),
            (try Lab.readRecord(directory))?.isSecure == true
        else { return self }
        var program = self
        program.filter = ContainerFilter.program
        return program
    }

    private func failure(_ code: Errno) -> LabError {
        let name = arguments.first ?? ""
        if code == .noSuchFileOrDirectory {
            return LabError(.notFound, "\(name): no such program; programs in a lab are the machine's own, in its PATH")
        }
        return LabError(.notExecutable, "\(name): cannot be started: \(code)")
    }

    private func withCProgram<Value>(
        in directory: LabDirectory, detached: Bool, _ body: (inout slim_lab_program) -> Value
    ) throws(LabError) -> Value {
        guard let name = arguments.first, !name.isEmpty else {
            throw LabError(.usage, "no program is given: write it after --")
        }
        guard let node else {
            return call(name, slim_lab_namespaces(network: -1, uts: -1, mount: -1), detached: detached, body)
        }
        let namespaces = try NodeNamespaces(of: node, in: directory)
        return call(name, namespaces.numbers, detached: detached, body)
    }

    private func call<Value>(
        _ name: String, _ namespaces: slim_lab_namespaces, detached: Bool, _ body: (inout slim_lab_program) -> Value
    ) -> Value {
        let strings = [name] + arguments + environment + [directory ?? ""]
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        let argumentList = pointers[1..<(1 + arguments.count)] + [nil]
        let environmentList = pointers[(1 + arguments.count)..<(1 + arguments.count + environment.count)] + [nil]
        return Array(argumentList).withUnsafeBufferPointer { argumentList in
            Array(environmentList).withUnsafeBufferPointer { environmentList in
                filter.withUnsafeBytes { filter in
                    var program = slim_lab_program(
                        program: pointers[0], arguments: argumentList.baseAddress,
                        environment: environmentList.baseAddress,
                        directory: directory == nil ? nil : pointers.last ?? nil, namespaces: namespaces,
                        input: input ?? -1,
                        output: output ?? -1, error: error ?? -1, detached: detached ? 1 : 0,
                        filter: filter.baseAddress, filter_length: filter.count)
                    return body(&program)
                }
            }
        }
    }
}
