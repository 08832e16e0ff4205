/// How much containers may send and receive.
package struct PolicyBandwidth: Hashable, Sendable {
    package let name: String
    package let description: String?
    package let select: [PolicySelector]
    /// For each selected container, all that it sends together.
    package let egress: RateLimit?
    /// For each selected container, all that it receives together.
    package let ingress: RateLimit?
    /// For each connection of a selected container, what it sends.
    package let connectionEgress: BitRate?
    /// For each connection of a selected container, what it receives.
    package let connectionIngress: BitRate?
}

/// A rate in bit/s.
package struct BitRate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bitsPerSecond: UInt64

    package init(bitsPerSecond: UInt64) { self.bitsPerSecond = bitsPerSecond }

    /// As `SO_MAX_PACING_RATE` and HTB count.
    package var bytesPerSecond: UInt64 { bitsPerSecond / 8 }

    package static func < (a: BitRate, b: BitRate) -> Bool { a.bitsPerSecond < b.bitsPerSecond }

    /// As the file has it: `100mbit`.
    package var description: String {
        for (unit, factor) in Quantity.rateUnits.reversed() where bitsPerSecond.isMultiple(of: factor) {
            return "\(bitsPerSecond / factor)\(unit)"
        }
        return "\(bitsPerSecond)bit"
    }
}

/// What one direction of one container may take up.
package struct RateLimit: Hashable, Sendable {
    /// What it always gets.
    package let rate: BitRate
    /// What it gets when there is room; never below the rate.
    package let ceiling: BitRate
    /// How much may go at once after a pause; `nil`: as the router sees fit.
    package let burstBytes: UInt64?

    package init(rate: BitRate, ceiling: BitRate, burstBytes: UInt64?) {
        self.rate = rate
        self.ceiling = ceiling
        self.burstBytes = burstBytes
    }
}
