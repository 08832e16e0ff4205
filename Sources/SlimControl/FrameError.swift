/// A peer broke the protocol: the connection ends.
enum FrameError: Error, Equatable, CustomStringConvertible {
    /// A length above the limit, or zero.
    case oversized(Int)
    case malformed(String)

    var description: String {
        switch self {
        case .oversized(let bytes): "a frame of \(bytes) bytes (1 to \(FrameCodec.maximumBodyBytes) are allowed)"
        case .malformed(let what): "a malformed frame: \(what)"
        }
    }
}
