/// What was promised, and what was measured.
struct Verdict: Encodable {
    let promise: String
    let placement: String
    /// What the promise is about: Slim's part of another network's value, or a number.
    let measured: Double
    let limit: Double
    let isReached: Bool

    /// Slim's part of another network's value: at most the limit, or at least where higher is better.
    private struct Promise {
        let metric: Metric
        let other: Mode
        let limit: Double
        /// `nil` for each.
        let placement: Placement?

        init(_ metric: Metric, _ other: Mode, _ limit: Double, _ placement: Placement? = nil) {
            self.metric = metric
            self.other = other
            self.limit = limit
            self.placement = placement
        }
    }

    private static let promises = [
        Promise(.throughputCPU, .host, 1.05), Promise(.fourStreamsCPU, .host, 1.05),
        Promise(.nginxKeepAlive, .host, 0.95), Promise(.redisGet, .host, 0.97),
        // Set-up is promised across hosts. Within one there is no network to save, and the router's part of it stays. The first
        // time is a program's: before that its host has asked the other one, once.
        Promise(.connect, .host, 1.6, .twoHosts), Promise(.connect, .overlay, 0.75, .twoHosts),
        Promise(.pinnedConnect, .host, 1.6, .twoHosts), Promise(.pinnedConnect, .overlay, 0.75, .twoHosts),
        Promise(.connectFirst, .overlay, 2, .twoHosts), Promise(.pinnedConnectFirst, .overlay, 2, .twoHosts),
        Promise(.connectEcho, .overlay, 1, .twoHosts), Promise(.pinnedConnectEcho, .overlay, 1, .twoHosts),
        Promise(.nginxConnections, .host, 0.7, .twoHosts), Promise(.nginxConnections, .overlay, 1.2, .twoHosts),
        Promise(.redisConnections, .overlay, 1, .twoHosts), Promise(.pgbenchConnections, .overlay, 1, .twoHosts),
        Promise(.joinedRoundTrip, .host, 0.65, .oneHost), Promise(.throughput, .host, 1.1, .oneHost),
        Promise(.throughput, .overlay, 2, .oneHost),
    ]

    /// Promises as ratios: all that the machine's own speed does not decide.
    static func all(_ results: Results, _ placement: Placement) -> [Verdict] {
        let growth: [(String, Metric, Double)] = [
            ("10,000 set-ups: descriptors left in the program", .programDescriptorGrowth, 0),
            // Below a page for each ten of them is what allocators and the kernel's own counting leave.
            ("10,000 set-ups: KB left in the program", .programMemoryGrowth, 1024),
            ("10,000 set-ups: descriptors left in the router", .routerDescriptorGrowth, 16),
            ("10,000 set-ups: KB left in the router", .routerMemoryGrowth, 1024),
        ]
        var verdicts: [Verdict] = []
        for promise in promises where promise.placement ?? placement == placement {
            guard let ratio = results.ratio(promise.metric, promise.other) else { continue }
            let isReached = promise.metric.isHigherBetter ? ratio >= promise.limit : ratio <= promise.limit
            verdicts.append(
                Verdict(
                    promise: "\(promise.metric.title), against \(promise.other.rawValue)", placement: placement.title,
                    measured: ratio, limit: promise.limit, isReached: isReached))
        }
        for (promise, metric, limit) in growth {
            guard let value = results.median(metric, .slim) else { continue }
            verdicts.append(
                Verdict(
                    promise: promise, placement: placement.title, measured: value, limit: limit,
                    isReached: value <= limit))
        }
        return verdicts
    }
}

/// A number of the paper (Zhuo et al., NSDI'19): how Slim changes something against the packet overlay.
struct PaperNumber: Encodable {
    let what: String
    let placement: String
    /// In percent; the best of a range.
    let paper: Double
    let slim: Double
    /// What the host's own network reaches: nobody can do better.
    let host: Double
    let isReached: Bool

    static func all(_ results: Results, _ placement: Placement) -> [PaperNumber] {
        let numbers: [(String, Metric, Double)] = [
            ("memcached, requests", .memcached, 71), ("memcached, latency", .memcachedLatency, -42),
            ("memcached, CPU", .memcachedCPU, -56), ("nginx, CPU", .nginxCPU, -22),
            ("PostgreSQL, CPU", .postgresCPU, -22),
        ]
        return numbers.compactMap { what, metric, paper in
            guard let overlay = results.median(metric, .overlay), let slim = results.median(metric, .slim),
                let host = results.median(metric, .host), overlay > 0
            else { return nil }
            let change = (slim / overlay - 1) * 100
            return PaperNumber(
                what: what, placement: placement.title, paper: paper, slim: change, host: (host / overlay - 1) * 100,
                isReached: metric.isHigherBetter ? change >= paper : change <= paper)
        }
    }
}
