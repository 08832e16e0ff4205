import Glibc

/// What a load generator says to a server, and what the server must answer each time.
struct LoadProtocol {
    struct Exchange {
        let request: [UInt8]
        let byteCount: Int
        let beginning: [UInt8]
        let end: [UInt8]
    }

    /// Taken in turn, by all connections together.
    let exchanges: [Exchange]

    /// Asks the server once, to learn how long its answers are.
    init(_ name: String, _ host: String, _ target: Target) throws(ProbeError) {
        let descriptor = try target.connect().descriptor
        defer { close(descriptor) }
        switch name {
        case "http": exchanges = [try Self.http(descriptor, host)]
        case "memcached": exchanges = try Self.memcached(descriptor)
        default: throw .usage("unknown protocol \(name): http or memcached")
        }
    }

    private static func http(_ descriptor: Int32, _ host: String) throws(ProbeError) -> Exchange {
        let request = Array("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        var answer = try ask(descriptor, request, until: Array("\r\n\r\n".utf8))
        let header = String(decoding: answer, as: UTF8.self)
        let lines = header.split(whereSeparator: \.isNewline)
        let mark = "content-length:"
        guard let line = lines.first(where: { $0.lowercased().hasPrefix(mark) }),
            let length = Int(line.dropFirst(mark.count).drop { $0 == " " })
        else { throw ProbeError(message: "the server does not tell the length: \(header)", exitCode: 1) }
        guard let headerEnd = find(Array("\r\n\r\n".utf8), in: answer) else { throw .call("read") }
        let byteCount = headerEnd + 4 + length
        while answer.count < byteCount { try receive(descriptor, &answer) }
        return Exchange(
            request: request, byteCount: byteCount, beginning: Array("HTTP/1.1 200 ".utf8),
            end: Array(answer[(headerEnd + 4)..<byteCount].suffix(16)))
    }

    /// One key of 32 bytes, read ten times for each time that it is written.
    private static func memcached(_ descriptor: Int32) throws(ProbeError) -> [Exchange] {
        let value = "0123456789abcdefghijklmnopqrstuv"
        let stored = Array("STORED\r\n".utf8)
        let set = Array("set slim 0 0 32\r\n\(value)\r\n".utf8)
        _ = try ask(descriptor, set, until: stored)
        let answer = Array("VALUE slim 0 32\r\n\(value)\r\nEND\r\n".utf8)
        let get = Exchange(
            request: Array("get slim\r\n".utf8), byteCount: answer.count, beginning: Array(answer.prefix(16)),
            end: Array(answer.suffix(16)))
        let write = Exchange(request: set, byteCount: stored.count, beginning: stored, end: stored)
        return [write] + Array(repeating: get, count: 10)
    }

    private static func ask(_ descriptor: Int32, _ request: [UInt8], until mark: [UInt8]) throws(ProbeError) -> [UInt8]
    {
        try check("write") { write(descriptor, request, request.count) }
        var answer: [UInt8] = []
        while find(mark, in: answer) == nil { try receive(descriptor, &answer) }
        return answer
    }

    private static func receive(_ descriptor: Int32, _ answer: inout [UInt8]) throws(ProbeError) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try check("read") { read(descriptor, &buffer, buffer.count) }
        guard count > 0 else { throw ProbeError(message: "read: the server has closed the connection", exitCode: 1) }
        answer += buffer[..<count]
    }

    private static func find(_ mark: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= mark.count else { return nil }
        return (0...(bytes.count - mark.count)).first { bytes[$0..<($0 + mark.count)].elementsEqual(mark) }
    }
}
