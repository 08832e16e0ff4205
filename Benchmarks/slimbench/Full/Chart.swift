/// The comparison as bars: how near the plain overlay and Slim come to the host's own network, longer is better.
struct Chart {
    private static let metrics: [(metric: Metric, title: String)] = [
        (.throughput, "iperf3, 1 stream"), (.fourStreams, "iperf3, 4 streams"),
        (.throughputCPU, "CPU per byte"), (.roundTrip, "round trip, 1 byte"),
        (.nginxKeepAlive, "nginx, keep-alive"), (.nginxConnections, "nginx, connection per request"),
        (.redisGet, "redis GET"), (.memcached, "memcached"), (.pgbench, "PostgreSQL, read-only"),
        (.nginxCPU, "nginx, CPU per request"), (.memcachedCPU, "memcached, CPU per request"),
        (.connectEcho, "connect + first reply"),
    ]

    private static let rowHeight = 40
    private static let top = 86
    private static let labels = 240
    private static let panel = 290
    private static let gap = 40
    /// Percent at the right end of a panel.
    private static let most = 120.0

    private let results: [Placement: Results]

    init(_ results: [Placement: Results]) { self.results = results }

    func svg() -> String {
        let width = Self.labels + Placement.allCases.count * (Self.panel + Self.gap)
        let height = Self.top + Self.metrics.count * Self.rowHeight + 20
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" role="img" aria-label="Slim and the plain overlay beside the host's own network">
            <style>
            .paper { fill: #ffffff } .text { fill: #24292f } .faint { fill: #57606a } .line { stroke: #8c959f }
            .overlay { fill: #afb8c1 } .slim { fill: #0969da }
            text { font: 13px -apple-system, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif }
            .title { font-size: 16px; font-weight: 600 } .value { font-size: 11px; paint-order: stroke; stroke: #ffffff; stroke-width: 3px } .end { text-anchor: end }
            .middle { text-anchor: middle }
            @media (prefers-color-scheme: dark) {
            .paper { fill: #0d1117 } .text { fill: #e6edf3 } .faint { fill: #9198a1 } .line { stroke: #656c76 }
            .overlay { fill: #545d68 } .slim { fill: #4493f8 } .value { stroke: #0d1117 } }
            </style>
            <rect class="paper" width="\(width)" height="\(height)" rx="8"/>
            <text class="text title" x="16" y="28">Speed in percent of the host's own network: longer is better</text>
            <rect class="overlay" x="16" y="42" width="12" height="12" rx="2"/><text class="faint" x="34" y="53">plain overlay</text>
            <rect class="slim" x="136" y="42" width="12" height="12" rx="2"/><text class="faint" x="154" y="53">Slim</text>
            """
        ]
        for (row, metric) in Self.metrics.enumerated() {
            let y = Self.top + row * Self.rowHeight + 22
            lines.append("<text class=\"text end\" x=\"\(Self.labels - 12)\" y=\"\(y)\">\(metric.title)</text>")
        }
        for (index, placement) in Placement.allCases.enumerated() {
            lines += panel(placement, left: Self.labels + index * (Self.panel + Self.gap))
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    private func panel(_ placement: Placement, left: Int) -> [String] {
        let bottom = Self.top + Self.metrics.count * Self.rowHeight
        let full = left + Self.length(100)
        var lines = [
            "<text class=\"faint\" x=\"\(left)\" y=\"\(Self.top - 8)\">\(placement.title)</text>",
            "<line class=\"line\" x1=\"\(left)\" y1=\"\(Self.top)\" x2=\"\(left)\" y2=\"\(bottom)\"/>",
            "<line class=\"line\" x1=\"\(full)\" y1=\"\(Self.top)\" x2=\"\(full)\" y2=\"\(bottom)\" stroke-dasharray=\"3 3\"/>",
            "<text class=\"faint value middle\" x=\"\(full)\" y=\"\(Self.top - 8)\">host</text>",
        ]
        for (row, metric) in Self.metrics.enumerated() {
            let y = Self.top + row * Self.rowHeight + 6
            for (bar, mode) in [Mode.overlay, .slim].enumerated() {
                guard let percent = speed(metric.metric, mode, placement) else { continue }
                let (top, length) = (y + bar * 15, Self.length(percent))
                lines.append(
                    "<rect class=\"\(mode.rawValue)\" x=\"\(left)\" y=\"\(top)\" width=\"\(length)\" height=\"13\" rx=\"2\"/>"
                        + "<text class=\"faint value\" x=\"\(left + length + 5)\" y=\"\(top + 11)\">\(Results.text(percent, 0))</text>"
                )
            }
        }
        return lines
    }

    /// In percent of the host's: the reciprocal where less is better.
    private func speed(_ metric: Metric, _ mode: Mode, _ placement: Placement) -> Double? {
        guard let host = results[placement]?.median(metric, .host),
            let value = results[placement]?.median(metric, mode),
            host > 0, value > 0
        else { return nil }
        return (metric.isHigherBetter ? value / host : host / value) * 100
    }

    private static func length(_ percent: Double) -> Int {
        Int((min(percent, most) / most * Double(panel)).rounded())
    }
}
