/// What was promised, and what was measured.
struct Verdict: Encodable {
    let promise: String
    let placement: String
    /// What the promise is about: Slim's part of another network's value, or a number.
    let measured: Double
    let limit: Double
    let isReached: Bool

    /// Promises as ratios: all that the machine's own speed does not decide.
    static func all(_ results: Results, _ placement: Placement) -> [Verdict] {
        let atMost: [(String, Metric, Mode, Double)] = [
            ("CPU per byte, 1 stream, against host", .throughputCPU, .host, 1.05),
            ("CPU per byte, 4 streams, against host", .fourStreamsCPU, .host, 1.05),
        ]
        let atLeast: [(String, Metric, Mode, Double)] = [
            ("nginx, keep-alive, against host", .nginxKeepAlive, .host, 0.95),
            ("redis GET, 8 clients, against host", .redisGet, .host, 0.97),
            ("nginx, a connection per request, against overlay", .nginxConnections, .overlay, 0.7),
        ]
        let growth: [(String, Metric, Double)] = [
            ("10,000 set-ups: descriptors left in the program", .programDescriptorGrowth, 0),
            // Below a page for each ten of them is what allocators and the kernel's own counting leave.
            ("10,000 set-ups: KB left in the program", .programMemoryGrowth, 1024),
            ("10,000 set-ups: descriptors left in the router", .routerDescriptorGrowth, 16),
            ("10,000 set-ups: KB left in the router", .routerMemoryGrowth, 1024),
        ]
        var verdicts: [Verdict] = []
        for (promise, metric, other, limit) in atMost + atLeast {
            guard let ratio = results.ratio(metric, other) else { continue }
            let isReached = metric.isHigherBetter ? ratio >= limit : ratio <= limit
            verdicts.append(
                Verdict(
                    promise: promise, placement: placement.title, measured: ratio, limit: limit, isReached: isReached))
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
