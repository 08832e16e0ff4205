internal import FoundationEssentials
internal import Logging

/// Parameters of the host's network namespace that Slim's connections need.
enum HostKernel {
    private struct Parameter: Sendable {
        let name: String
        let purpose: String
        /// The value to write for the one that is there; `nil` leaves it.
        let wanted: @Sendable (Int) -> Int?
    }

    private static let parameters = [
        Parameter(name: "net/ipv4/tcp_fastopen", purpose: "connections take a round trip more") {
            $0 & 3 == 3 ? nil : $0 | 3
        },
        Parameter(name: "net/unix/max_dgram_qlen", purpose: "accept channels hold few connections") {
            $0 >= 512 ? nil : 512
        },
        Parameter(name: "net/ipv4/tcp_tw_reuse", purpose: "ports may run out at many short connections") {
            $0 == 1 ? nil : 1
        },
    ]

    /// Sets what is not set. A parameter that cannot be set is logged with what it costs.
    static func prepare(logger: Logger) {
        for parameter in parameters {
            let path = "/proc/sys/" + parameter.name
            do {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                guard let value = Int(text.prefix { $0 != "\n" }), let wanted = parameter.wanted(value) else {
                    continue
                }
                try Data("\(wanted)\n".utf8).write(to: URL(filePath: path))
            } catch {
                logger.warning("\(path) cannot be set: \(parameter.purpose)", metadata: ["error": "\(error)"])
            }
        }
    }
}
