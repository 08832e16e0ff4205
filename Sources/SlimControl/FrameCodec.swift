internal import FoundationEssentials
internal import NIOCore
internal import SlimRegistry

/// Frames to bytes and back: a big-endian 32-bit length, then that many bytes of one JSON object.
enum FrameCodec {
    static let maximumBodyBytes = 64 << 10
    /// So many endpoints always fit into one frame: none is longer than 48 characters.
    static let destinationsPerFrame = 1000

    /// The frames that carry a message: more than one for a long list.
    static func frames(for message: ControlMessage) -> [Frame] {
        guard case .invalidate(let destinations) = message else { return [.message(message)] }
        return stride(from: 0, to: destinations.count, by: destinationsPerFrame).map { start in
            .message(.invalidate(Array(destinations[start..<min(start + destinationsPerFrame, destinations.count)])))
        }
    }

    /// - Throws: ``FrameError`` when the frame would exceed the limit: a peer would not take it.
    static func encode(_ frame: Frame) throws(FrameError) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body: Data
        do { body = try encoder.encode(frame) } catch { throw .malformed("\(error)") }
        guard body.count <= maximumBodyBytes else { throw .oversized(body.count) }
        var buffer = ByteBufferAllocator().buffer(capacity: 4 + body.count)
        buffer.writeInteger(UInt32(body.count))
        buffer.writeBytes(body)
        return buffer
    }

    /// - Parameter body: what follows the length.
    static func decode(_ body: ByteBuffer) throws(FrameError) -> Frame {
        do { return try JSONDecoder().decode(Frame.self, from: Data(body.readableBytesView)) } catch {
            throw .malformed(describe(error))
        }
    }

    private static func describe(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "not JSON" }
        let field = { (context: DecodingError.Context) in context.codingPath.map(\.stringValue).joined(separator: ".") }
        return switch error {
        case .keyNotFound(let key, _): "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            context.codingPath.isEmpty ? "not a JSON object" : "\(field(context)) has the wrong type"
        case .dataCorrupted(let context): context.codingPath.isEmpty ? "not JSON" : "\(field(context)) is not valid"
        @unknown default: "not JSON"
        }
    }
}
