internal import SlimLab

/// A program that is run again and again, and what must be true of each run.
struct Workload: Sendable {
    let name: String
    /// What ``count`` counts.
    let unit: String
    let node: String
    let arguments: [String]
    /// How long a run may take.
    let limit: Duration
    /// How much was done and checked, told by what a successful run has written; `nil` when that shows a loss.
    let count: @Sendable (String) -> Int?

    /// Runs the program until the end; a run that fails is a loss, and the next one begins.
    func `repeat`(on bench: Bench, until end: ContinuousClock.Instant, _ ledger: Ledger) async {
        repeat {
            do throws(LabError) {
                let output = try await bench.run(arguments, on: node, underSlim: true, atMost: limit)
                if let count = count(output) {
                    await ledger.add(name, count)
                } else {
                    await ledger.lose(name, "on \(node): \(output.suffix(600))")
                }
            } catch {
                if Bench.isInterrupted { return }
                await ledger.lose(name, error.description)
                try? await Task.sleep(for: .seconds(1))
            }
        } while ContinuousClock.now < end && !Bench.isInterrupted
    }
}
