/// How a bridge treats one of its ports; what is `nil` stays as it is.
package struct BridgePortSettings: Hashable, Sendable {
    /// Whether frames from this port go to no other isolated port.
    package var isIsolated: Bool?
    /// Whether the bridge learns from frames that come in by the port who is behind it.
    package var isLearning: Bool?
    /// Whether the port gets frames for destinations that the bridge does not know.
    package var isFlooded: Bool?

    package init(isIsolated: Bool? = nil, isLearning: Bool? = nil, isFlooded: Bool? = nil) {
        self.isIsolated = isIsolated
        self.isLearning = isLearning
        self.isFlooded = isFlooded
    }
}
