import Testing

extension Integration.Resilience {
    /// A cable that is pulled, and plugged in again.
    @Suite struct LinkFaults {
        private static let echoPort = 7811

        @Test(arguments: ["h1", "h2"])
        func `streams and connects outlive a cable that is out for seconds`(host: String) async throws {
            try await FaultLab.with("link") { lab in
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await lab.withStreams(50) { streams in
                        try lab.setLink(of: host, up: false)
                        let attempts = try await withThrowingTaskGroup(of: (String, FaultLab.Attempt).self) { group in
                            // The host's stack notices after three seconds that there is no way to the other host.
                            for (overlay, patience) in [(false, nil), (true, nil), (false, 40.0), (true, 40)] {
                                group.addTask {
                                    if patience != nil { try await Task.sleep(for: .seconds(1)) }
                                    let kind = patience == nil ? "blocking" : "polling"
                                    return (
                                        kind,
                                        try await lab.attempt(
                                            from: "h1c1", to: "h2c1", port: Self.echoPort, overlay: overlay,
                                            patience: patience)
                                    )
                                }
                            }
                            group.addTask {
                                try await Task.sleep(for: .seconds(1))
                                for overlay in [false, true] {
                                    let short = try await lab.attempt(
                                        from: "h1c2", to: "h2c1", port: Self.echoPort, overlay: overlay, patience: 1)
                                    #expect(short.result == "pending")
                                }
                                try await Task.sleep(for: .milliseconds(1500))
                                try lab.setLink(of: host, up: true)
                                return ("", FaultLab.Attempt(result: "connected", seconds: 0))
                            }
                            return try await group.reduce(into: []) { $0.append($1) }
                        }
                        for (kind, attempt) in attempts {
                            #expect(attempt.result == "connected", "\(kind), after \(attempt.seconds) s")
                        }
                        try await streams.goOn(lab)
                        try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    }
                }
            }
        }
    }
}
