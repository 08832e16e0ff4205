/// How long a control connection may take for what it does.
package struct ControlTimings: Sendable {
    /// From the TCP connection to the peer's greeting.
    package var handshake: Duration = .seconds(10)
    /// Between two pings.
    package var ping: Duration = .seconds(5)
    /// Without a frame from the peer for this long, it is taken for dead.
    package var silence: Duration = .seconds(15)
    /// The wait before the second attempt to dial; it doubles with each failure.
    package var shortestRedial: Duration = .milliseconds(100)
    /// Short enough that a router that is back is found within a second.
    package var longestRedial: Duration = .milliseconds(800)
    /// Between two looks at how long the own certificate is valid.
    package var expiryCheck: Duration = .seconds(3600)

    package init() {}
}
