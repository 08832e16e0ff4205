/// One unit of the control protocol.
enum Frame: Equatable {
    case greeting(Greeting)
    /// The sender is about to close, and says why.
    case goodbye(reason: String)
    case ping
    case pong
    case message(ControlMessage)
    /// Of a newer version: skipped.
    case unknown(type: String)
}
