internal import FoundationEssentials
internal import SlimLab

/// A hostile container: it reads from its host's loopback with the socket that it was given, and is refused in secure mode.
struct DemoSecure {
    private static let attack = "Tests/Attacks/escape.py"
    private static let secretPort = "9911"
    private static let webPort = "8000"

    /// - Parameter bench: an ordinary lab.
    static func run(_ bench: Bench) async throws {
        guard FileManager.default.fileExists(atPath: attack) else {
            return say("\nsecure mode: \(attack) is not here; run this in the project's folder")
        }
        say(
            "\nsecure mode: h1c1 connects to h2c1, and then tries to use the socket for a service on its host's 127.0.0.1"
        )
        say("  without a guard:  \(try await attempt(bench))")
        try await Bench.run("demo-secure", secure: true) { secure in
            say("  with the guard:   \(try await attempt(secure))")
        }
    }

    private static func attempt(_ bench: Bench) async throws -> String {
        let service = """
            import socket
            s = socket.create_server(('127.0.0.1', \(secretPort))); print('ready', flush=True)
            while True: s.accept()[0].sendall(b'a secret of the host')
            """
        let secret = try bench.start(["python3", "-c", service], on: "h1", underSlim: false)
        try await secret.waitForOutput("ready")
        let web = try bench.start(["python3", "-u", "-m", "http.server", webPort], on: "h2c1", underSlim: true)
        try await web.waitForOutput("Serving")
        let address = try bench.lab.address(of: "h2c1")
        let path = FileManager.default.currentDirectoryPath + "/" + attack
        let words = try await bench.run(
            ["python3", path, address, webPort, secretPort], on: "h1c1", underSlim: true)
        await web.end()
        await secret.end()
        return words.split(separator: "\n").last.map(String.init) ?? ""
    }
}
