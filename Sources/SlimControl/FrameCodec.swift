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
        switch message {
        case .invalidate(let destinations):
            return stride(from: 0, to: destinations.count, by: destinationsPerFrame).map { start in
                .message(
                    .invalidate(Array(destinations[start..<min(start + destinationsPerFrame, destinations.count)])))
            }
        case .containers(let update): return parts(of: update).map { .message(.containers($0)) }
        default: return [.message(message)]
        }
    }

    /// As few parts as the largest labels allow; a list ends with one that says so.
    private static func parts(of update: ContainerUpdate) -> [ContainerUpdate] {
        var parts: [ContainerUpdate] = []
        var present: [ContainerIdentity] = []
        var bytes = 0
        for identity in update.present {
            let size = encodedBytes(identity)
            if bytes + size > maximumBodyBytes / 2, !present.isEmpty {
                parts.append(ContainerUpdate(update.scope == .change ? .change : .part, present: present))
                present = []
                bytes = 0
            }
            present.append(identity)
            bytes += size
        }
        return parts + [ContainerUpdate(update.scope, present: present, gone: update.gone)]
    }

    /// At most: of what labels may hold, quotes and backslashes are escaped.
    private static func encodedBytes(_ identity: ContainerIdentity) -> Int {
        identity.labels.reduce(300) { $0 + 2 * ($1.key.utf8.count + $1.value.utf8.count) + 6 }
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
