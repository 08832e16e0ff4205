/// What happens on the control connections. For one peer the order is connected, messages, disconnected.
package enum ControlEvent: Sendable, Equatable {
    /// Both sides are authenticated; messages to the peer can be sent.
    case connected(peer: String)
    case disconnected(peer: String, reason: String)
    case message(ControlMessage, peer: String)
}
