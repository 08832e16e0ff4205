internal import FoundationEssentials
internal import SlimLab

/// What a live connection costs in descriptors and memory, by holding many.
struct Footprint {
    private let bench: Bench
    private static let few = 100
    private static let many = 4000
    private static let port = "7008"

    init(_ bench: Bench) { self.bench = bench }

    /// Memory of an idle router: the larger of the two, all of its processes.
    func measureIdle(_ results: inout Results) throws(LabError) {
        let most = try ["h1", "h2"].map { (host) throws(LabError) in try resident(host) }.max() ?? 0
        results.add(.routerIdle, .slim, Double(most) / 1e6)
    }

    /// Holds few connections, then many, and compares.
    func measureConnections(_ mode: Mode, _ results: inout Results) async throws(LabError) {
        let server = try await bench.serveProbe(mode, port: Self.port)
        let first = try await hold(mode, Self.few)
        let routersBefore = try routers()
        let serverBefore = descriptors(server)
        let firstDescriptors = descriptors(first)
        let second = try await hold(mode, Self.many)
        let routersAfter = try routers()
        let added = Double(Self.many)
        let client = Double(descriptors(second) - firstDescriptors) / Double(Self.many - Self.few)
        let serving = Double(descriptors(server) - serverBefore) / added
        results.add(.programDescriptors, mode, max(client, serving))
        let perHost = zip(routersAfter, routersBefore)
        results.add(
            .routerDescriptors, mode, perHost.map { Double($0.descriptors - $1.descriptors) / added }.max() ?? 0)
        if mode == .slim {
            results.add(
                .routerPerConnection, mode, perHost.map { Double($0.resident - $1.resident) / added }.max() ?? 0)
        }
        for process in [first, second, server] { await process.end() }
    }

    /// What 10,000 set-ups in a row leave behind in the program that makes them and in the routers.
    func measureGrowth(_ results: inout Results) async throws {
        let server = try await bench.serveProbe(.slim, port: Self.port)
        let churn = [Bench.probeProgram, "churn", try bench.address(.slim), Self.port, "-4", "--count"]
        let client = bench.placement.client(.slim)
        // The first ones make what everybody needs once.
        try await bench.run(churn + ["500"], on: client, underSlim: true)
        let before = try routers()
        let text = try await bench.run(churn + ["10000"], on: client, underSlim: true, atMost: .seconds(240))
        try await Task.sleep(for: .milliseconds(500))
        let report = try JSONDecoder().decode(ChurnReport.self, from: Data(text.utf8))
        let growth = zip(try routers(), before)
        results.add(.programDescriptorGrowth, .slim, Double(report.descriptors))
        results.add(.programMemoryGrowth, .slim, Double(report.kilobytes))
        results.add(.routerDescriptorGrowth, .slim, Double(growth.map { $0.descriptors - $1.descriptors }.max() ?? 0))
        results.add(.routerMemoryGrowth, .slim, Double(growth.map { $0.resident - $1.resident }.max() ?? 0) / 1024)
        await server.end()
    }

    private func hold(_ mode: Mode, _ count: Int) async throws(LabError) -> LabProcess {
        let arguments = [
            Bench.probeProgram, "hold", try bench.address(mode), Self.port, "-4", "--connections", "\(count)",
        ]
        let process = try bench.start(mode, arguments)
        try await process.waitForOutput("\(count)\n", atMost: .seconds(30))
        return process
    }

    private func descriptors(_ process: LabProcess) -> Int { RunningProcess(id: process.id)?.descriptorCount ?? 0 }

    private func routers() throws(LabError) -> [(descriptors: Int, resident: Int)] {
        try ["h1", "h2"].map { (host) throws(LabError) in
            let processes = try bench.lab.router(of: host).processes
            return (processes.map(\.descriptorCount).reduce(0, +), processes.compactMap(\.residentBytes).reduce(0, +))
        }
    }

    private func resident(_ host: String) throws(LabError) -> Int {
        try bench.lab.router(of: host).processes.compactMap(\.residentBytes).reduce(0, +)
    }
}

/// What `slimprobe churn` prints.
private struct ChurnReport: Decodable {
    let descriptors: Int
    let kilobytes: Int
}
