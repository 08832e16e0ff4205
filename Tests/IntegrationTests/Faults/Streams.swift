import SlimLab
import Testing

/// Many connections with checksums between two containers.
struct Streams {
    let count: Int
    let client: LabProcess
    let server: LabProcess

    /// Waits until every single stream has carried more bytes, both ways.
    func goOn(_ lab: FaultLab, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let before = client.outputSoFar.utf8.count
        // The first dot may have been due already.
        try await eventually(
            "all streams go on: \(client.errorOutputSoFar)\(server.outputSoFar)", sourceLocation: sourceLocation
        ) { !client.isRunning || client.outputSoFar.utf8.count >= before + 3 }
        #expect(client.isRunning, "a stream has ended: \(client.errorOutputSoFar)", sourceLocation: sourceLocation)
    }

    /// Ends them in good order, and checks that every byte has arrived at either end.
    fileprivate func finish(sourceLocation: SourceLocation) async throws {
        client.closeInput()
        let outcome = try await client.wait()
        #expect(outcome.status == 0, "\(outcome.errorOutput)", sourceLocation: sourceLocation)
        #expect(outcome.output.contains("intact \(count) streams"), "\(outcome.output)", sourceLocation: sourceLocation)
        #expect(server.outputSoFar == "ready\n", sourceLocation: sourceLocation)
    }
}

extension FaultLab {
    /// Has streams run while something happens. None of them may break, stop for good, or lose or change a byte.
    func withStreams(
        _ count: Int, from client: String = "h1c1", to server: String = "h2c1", port: Int = 7800,
        overlay: Bool = false, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Streams) async throws -> Void
    ) async throws {
        let helper = Self.helpers + "/streams.py"
        let serve = ["python3", helper, "serve", "\(port)"]
        try await fixture.withServer(serve, on: server, overlay: overlay, until: "ready") { serving in
            let connect = ["python3", helper, "connect", try fixture.address(server), "\(port)", "\(count)"]
            let process = try lab.start(fixture.program(connect, on: client, overlay: overlay))
            let streams = Streams(count: count, client: process, server: serving)
            do {
                try await process.waitForOutput("going", atMost: .seconds(30))
                try await body(streams)
                try await streams.goOn(self, sourceLocation: sourceLocation)
                try await streams.finish(sourceLocation: sourceLocation)
            } catch {
                await process.end()
                throw error
            }
        }
    }
}
