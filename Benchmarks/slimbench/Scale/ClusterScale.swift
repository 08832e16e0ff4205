internal import SlimLab
internal import SlimRouterCore

/// What a router knows of its cluster: other hosts, and their containers.
struct ClusterScale {
    let hosts: Int
    private static let containersPerHost = 100
    private static let repeats = 1000

    func measure() throws -> ScaleFigures.Column {
        var figures = ScaleFigures.Column(size: hosts)
        let directory = try MemoryDirectory(hosts)
        let router = try SimulatedRouter(directory: directory.path, connections: 1000, labels: PolicyModel.labels)
        try router.attach(1)
        let (registered, _) = try Meter.growth { try router.register(hosts: hosts) }
        figures.add("memory for a host of the registry", "bytes", registered / Double(hosts), decimals: 0)
        let (bytes, time) = Meter.growth {
            Meter.each(hosts) { router.connect(host: $0, containers: Self.containersPerHost) }
        }
        figures.add("another router connects, with 100 containers", "us", time.mean / 1e3)
        let containers = Double(hosts * Self.containersPerHost)
        figures.add("memory for a container elsewhere", "bytes", bytes / containers, decimals: 0)
        // All of them were away for a moment.
        let again = Meter.each(hosts) { router.connect(host: $0, containers: Self.containersPerHost) }
        figures.add("it connects again", "us", again.mean / 1e3)
        var found = 0
        let finding = Meter.each(hosts) { found += router.find(host: Meter.scattered($0, hosts)) ? 1 : 0 }
        precondition(found == hosts, "a host is not found")
        figures.add("find an address's host", "ns", finding.mean)
        let changing = Meter.each(Self.repeats) { number in
            let host = Meter.scattered(number, hosts)
            router.relabel(host: host, number % Self.containersPerHost, index: host * Self.containersPerHost)
        }
        figures.add("a container elsewhere has other labels", "us", changing.mean / 1e3)
        figures.add(
            "a container here has: all hosts are told", "us", Meter.each(10) { _ in router.relabel(0) }.mean / 1e3)
        // The first one looks at preambles that were made before.
        router.tick()
        figures.add("a tick while connections are prepared", "us", Meter.each(100) { _ in router.tick() }.mean / 1e3)
        var longest = 0.0
        var known = 0
        let copying = Meter.time { known = router.copyKnown { longest = max(longest, Meter.time($0)) } }
        precondition(known == hosts * Self.containersPerHost, "a container is not known")
        figures.add("copy of all that is known: each", "ns", copying / containers)
        figures.add("copy of all that is known: longest part", "us", longest / 1e3)
        return figures
    }
}
