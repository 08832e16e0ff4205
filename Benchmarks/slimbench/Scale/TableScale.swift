internal import FoundationEssentials
internal import SlimAdmin
internal import SlimPolicy
internal import SlimRouterCore

/// The router's own tables, filled by simulated endpoints: what an entry takes, and what each thing that is done with it costs.
struct TableScale {
    let connections: Int
    private var listeners: Int { connections / 10 }
    /// A thousand connections, and a hundred listeners, for each.
    private var containers: Int { max(10, connections / 1000) }
    private var hosts: Int { max(10, connections / 1000) }
    private static let containersPerHost = 100
    private static let rules = 1000

    init(connections: Int) { self.connections = connections }

    func measure() throws -> ScaleFigures.Column {
        var figures = ScaleFigures.Column(size: connections)
        let directory = try MemoryDirectory(connections)
        let router = try SimulatedRouter(
            directory: directory.path, connections: connections, labels: PolicyModel.labels)
        try router.attach(containers)
        try router.register(hosts: hosts)
        for host in 0..<hosts { router.connect(host: host, containers: Self.containersPerHost) }
        measureListeners(router, &figures)
        measureConnections(router, &figures)
        try measureWhole(router, &figures)
        measureEnds(router, &figures)
        return figures
    }

    private func measureListeners(_ router: SimulatedRouter, _ figures: inout ScaleFigures.Column) {
        let (bytes, time) = Meter.growth { Meter.each(listeners) { router.listen($0) } }
        figures.add("listener: enter", "ns", time.mean)
        figures.add("listener: memory", "bytes", bytes / Double(listeners), decimals: 0)
        let (told, asking) = Meter.growth { Meter.each(listeners) { router.ask(listener: $0, from: $0 % hosts) } }
        figures.add("listener: answer another router", "ns", asking.mean)
        figures.add("listener: memory for who was told", "bytes", told / Double(listeners), decimals: 0)
        var found = 0
        let finding = Meter.each(listeners) { found += router.find(listener: Meter.scattered($0, listeners)) ? 1 : 0 }
        precondition(found == listeners, "a listener is not found")
        figures.add("listener: find", "ns", finding.mean)
        let again = Meter.each(hosts) { router.connect(host: $0, containers: Self.containersPerHost) }
        figures.add("a router that was told connects again", "us", again.mean / 1e3)
        figures.add(
            "listener: remove", "ns",
            Meter.each(listeners) { router.close(listener: Meter.scattered($0, listeners)) }.mean)
    }

    private func measureConnections(_ router: SimulatedRouter, _ figures: inout ScaleFigures.Column) {
        let (answers, resolving) = Meter.growth { Meter.each(connections) { router.resolve($0) } }
        figures.add("destination: remember an answer", "ns", resolving.mean)
        figures.add("destination: memory", "bytes", answers / Double(connections), decimals: 0)
        let (bytes, entering) = Meter.growth { Meter.each(connections) { router.connect($0) } }
        precondition(router.connectionCount == connections, "a connection is missing")
        figures.add("connection: enter", "ns", entering.mean)
        figures.add("connection: memory", "bytes", bytes / Double(connections), decimals: 0)
        var found = 0
        let finding = Meter.each(connections) {
            found += router.find(connection: Meter.scattered($0, connections)) ? 1 : 0
        }
        precondition(found == connections, "a connection is not found")
        figures.add("connection: find", "ns", finding.mean)
        let routing = Meter.each(connections) { found += router.route(Meter.scattered($0, connections)) ? 1 : 0 }
        precondition(found == 2 * connections, "a destination is not found")
        figures.add("connect: find host, listener and policy", "ns", routing.mean)
    }

    private func measureWhole(_ router: SimulatedRouter, _ figures: inout ScaleFigures.Column) throws {
        var longest = 0.0
        let part = { (body: () -> Void) in longest = max(longest, Meter.time(body)) }
        var reports: [ConnectionReport] = []
        let listing = Meter.time { reports = router.list(part: part) }
        precondition(reports.count == connections, "the list is not complete")
        figures.add("list of connections: each", "ns", perEntry(listing))
        figures.add("list of connections: longest part", "us", longest / 1e3)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes = 0
        let encoding = try Meter.time { bytes = try encoder.encode(reports).count }
        figures.add("list of connections: as JSON, each", "ns", perEntry(encoding))
        figures.add("list of connections: as JSON, each", "bytes", Double(bytes) / Double(connections), decimals: 0)
        reports = []

        longest = 0
        let comparing = Meter.time { router.resynchronise(part: part) }
        precondition(router.connectionCount == connections, "a connection was lost")
        figures.add("resynchronise: each", "ns", perEntry(comparing))
        figures.add("resynchronise: longest part", "us", longest / 1e3)
        var found = 0
        let opening = try Meter.time { found = try router.reopen() }
        precondition(found == connections, "the next router does not find every connection")
        figures.add("the next router reads the table: each", "ns", perEntry(opening))

        let text = Array(PolicyModel(endpoints: 1000).policy(rules: Self.rules).utf8)
        let policy = CompiledPolicy(try PolicyDocument.parse(text, file: "policy"))
        longest = 0
        let reviewing = Meter.time { router.adopt(policy, part: part) }
        figures.add("review after a reload: each", "ns", perEntry(reviewing))
        figures.add("review after a reload: longest part", "us", longest / 1e3)
        var allowed = 0
        let deciding = Meter.each(connections) { allowed += router.decide(Meter.scattered($0, connections)) ? 1 : 0 }
        figures.add("decision of the policy, \(Self.rules) rules", "ns", deciding.mean)
    }

    private func measureEnds(_ router: SimulatedRouter, _ figures: inout ScaleFigures.Column) {
        let ending = Meter.each(connections) { router.end(connection: Meter.scattered($0, connections)) }
        precondition(router.connectionCount == 0, "a connection is left")
        figures.add("connection: remove", "ns", ending.mean)
        figures.add("connection: remove, the longest \(Meter.batch)", "us", ending.longest / 1e3)
        // The first time it is also the kernel that makes room.
        let again = Meter.each(connections) { router.connect($0) }
        figures.add("connection: enter again", "ns", again.mean)
        figures.add("connection: enter again, the longest \(Meter.batch)", "us", again.longest / 1e3)
    }

    private func perEntry(_ nanoseconds: Double) -> Double { nanoseconds / Double(connections) }
}
