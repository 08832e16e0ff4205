internal import CSlimSystem
internal import Glibc
internal import SlimSystem
internal import Synchronization
internal import SystemPackage

/// A program that was started in a lab and is waited for; what it writes is kept.
package final class LabProcess: Sendable {
    /// How a program ended.
    package struct Outcome: Sendable {
        /// The exit status; 128 and the signal's number for a program that a signal has ended.
        package let status: Int32
        package let output: String
        package let errorOutput: String
    }

    package let id: Int32
    /// The program and its arguments.
    package let name: String
    private let output: OwnedDescriptor
    private let errorOutput: OwnedDescriptor
    /// The other end of its standard input, until that is closed.
    private let input: Mutex<Input>
    private let status = Mutex<Int32?>(nil)

    /// Starts a program. It inherits nothing but an empty standard input, which stays open until ``closeInput()``.
    package init(_ program: LabProgram, in directory: LabDirectory) throws(LabError) {
        let output = try Self.makeFile()
        let errorOutput = try Self.makeFile()
        var ends: [CInt] = [-1, -1]
        guard slim_lab_pipe(&ends) == 0 else {
            throw LabError("make a pipe", program.arguments.first ?? "", Errno(rawValue: errno))
        }
        let readEnd = OwnedDescriptor(ends[0])
        let writeEnd = OwnedDescriptor(ends[1])
        var program = program
        program.input = readEnd.raw
        program.output = output.raw
        program.error = errorOutput.raw
        id = try program.spawn(in: directory)
        name = program.arguments.joined(separator: " ")
        self.output = output
        self.errorOutput = errorOutput
        input = Mutex(Input(end: writeEnd))
    }

    deinit {
        guard status.withLock({ $0 == nil }) else { return }
        kill(id, SIGKILL)
        waitpid(id, nil, 0)
    }

    /// What it has written to standard output so far.
    package var outputSoFar: String { Self.content(of: output.raw) }
    package var errorOutputSoFar: String { Self.content(of: errorOutput.raw) }

    package var isRunning: Bool { poll() == nil }

    /// Ends its standard input.
    package func closeInput() { input.withLock { $0 = Input(end: nil) } }

    package func send(signal: Int32) { if isRunning { kill(id, signal) } }

    /// Waits for its end; beyond the limit it is killed.
    ///
    /// - Throws: ``LabError`` with `.state` beyond the limit.
    package func wait(atMost limit: Duration = .seconds(120)) async throws(LabError) -> Outcome {
        let start = ContinuousClock.now
        while true {
            if let status = poll() {
                return Outcome(status: status, output: outputSoFar, errorOutput: errorOutputSoFar)
            }
            guard ContinuousClock.now - start < limit else {
                await end()
                throw LabError(
                    .state,
                    "\(name): not done after \(limit); its last words: \(outputSoFar.suffix(300))\(errorOutputSoFar.suffix(300))"
                )
            }
            await sleepUntilEnd(atMost: limit - (ContinuousClock.now - start))
        }
    }

    /// Sleeps in the kernel, on a thread of its own: what is being measured is not disturbed by somebody who looks again and
    /// again.
    private func sleepUntilEnd(atMost limit: Duration) async {
        let milliseconds = CInt(clamping: Int((limit / .milliseconds(1)).rounded(.up)))
        let slept = await withCheckedContinuation { continuation in
            do throws(Errno) {
                try startThread(named: "lab-wait") { [id] in
                    continuation.resume(returning: slim_lab_await_end(id, milliseconds) == 0)
                }
            } catch { continuation.resume(returning: false) }
        }
        if !slept { try? await Task.sleep(for: .milliseconds(2)) }
    }

    /// Waits until it has written a text, on either stream.
    package func waitForOutput(_ text: String, atMost limit: Duration = .seconds(30)) async throws(LabError) {
        let start = ContinuousClock.now
        while !outputSoFar.contains(text), !errorOutputSoFar.contains(text) {
            guard isRunning, ContinuousClock.now - start < limit else {
                throw LabError(
                    .state,
                    "\(name): \(isRunning ? "runs but has" : "ended and has") not said \(text.debugDescription) but: \(outputSoFar.suffix(300))\(errorOutputSoFar.suffix(300))"
                )
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Asks it to end (SIGTERM), kills it after a second, and returns when it is gone.
    package func end() async {
        send(signal: SIGTERM)
        let start = ContinuousClock.now
        while poll() == nil {
            if ContinuousClock.now - start > .seconds(1) { kill(id, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Reaps the process if it has ended.
    private func poll() -> Int32? {
        status.withLock { status in
            if let status { return status }
            var code: Int32 = 0
            guard waitpid(id, &code, WNOHANG) == id else { return nil }
            status = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f
            return status
        }
    }

    /// A nameless file, which any amount of output fits into while nobody reads.
    private static func makeFile() throws(LabError) -> OwnedDescriptor {
        let descriptor = slim_lab_nameless_file("output")
        guard descriptor != -1 else { throw LabError("make a nameless file", "output", Errno(rawValue: errno)) }
        return OwnedDescriptor(descriptor)
    }

    private static func content(of descriptor: CInt) -> String {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(content.count))
            guard count > 0 else { return String(decoding: content, as: UTF8.self) }
            content += buffer[..<count]
        }
    }
}

private struct Input: ~Copyable {
    let end: OwnedDescriptor?
}

extension Lab {
    /// Starts a program in a host or container, or beside the lab.
    package func start(_ program: LabProgram) throws(LabError) -> LabProcess { try LabProcess(program, in: directory) }

    /// Runs a program to its end.
    package func run(_ program: LabProgram, atMost limit: Duration = .seconds(120)) async throws(LabError)
        -> LabProcess.Outcome
    {
        let process = try start(program)
        process.closeInput()
        return try await process.wait(atMost: limit)
    }
}
