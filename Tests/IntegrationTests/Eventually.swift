import Testing

/// Waits for something to hold. A machine with other work takes its time; what holds is seen at once.
func eventually(
    _ what: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async throws {
    let start = ContinuousClock.now
    repeat {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    } while ContinuousClock.now - start < .seconds(30)
    Issue.record("not in 30 seconds: \(what())", sourceLocation: sourceLocation)
}
