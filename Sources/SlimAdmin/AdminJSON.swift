internal import FoundationEssentials
internal import NIOCore

/// The JSON of the admin API.
enum AdminJSON {
    /// The body of every answer that is not a success.
    struct Failure: Codable, Equatable { var error: String }

    /// An answer that says nothing but yes.
    struct Empty: Codable, Equatable {}

    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_: Value.Type, from buffer: ByteBuffer) throws(AdminError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(buffer.readableBytesView))
        } catch let error as DecodingError {
            throw AdminError(.badRequest, describe(error))
        } catch {
            throw AdminError(.badRequest, "not JSON")
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(path(context, key)): is missing; add it"
        case .typeMismatch(let type, let context): "\(path(context)): is not of type \(type)"
        case .valueNotFound(let type, let context): "\(path(context)): is null and not of type \(type)"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(path(context)): \(context.debugDescription)"
        default: "the body is not JSON"
        }
    }
}
