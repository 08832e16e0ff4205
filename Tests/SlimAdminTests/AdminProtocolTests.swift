import FoundationEssentials
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SlimAdmin

/// What a client sends, byte by byte, and what it gets.
@Suite(.timeLimit(.minutes(1))) struct AdminProtocolTests {
    private func converse(_ requests: String) async throws -> String {
        let channel = NIOAsyncTestingChannel()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await channel.testingEventLoop.submit {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
            try channel.pipeline.syncOperations.addHandler(AdminHandler(backend: FakeRouter(), logger: logger))
        }.get()
        try await channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).get()
        _ = try? await channel.writeInbound(ByteBuffer(string: requests))
        let answers = requests.components(separatedBy: " HTTP/1.1\r\n").count - 1
        var text = ""
        while text.components(separatedBy: "HTTP/1.1 ").count - 1 < answers
            || !(text.hasSuffix("}") || text.hasSuffix("]"))
        {
            if let part = try await channel.readOutbound(as: ByteBuffer.self) {
                text += String(buffer: part)
            } else if channel.isActive {
                try await Task.sleep(for: .milliseconds(1))
            } else {
                break
            }
        }
        _ = try? await channel.finish(acceptAlreadyClosed: true)
        return text
    }

    @Test func `requests on one connection are answered in order`() async throws {
        let text = try await converse(
            "GET /v1/listeners HTTP/1.1\r\nhost: x\r\n\r\nDELETE /v1/containers/c9 HTTP/1.1\r\nhost: x\r\n\r\n")
        let parts = text.components(separatedBy: "HTTP/1.1 ").dropFirst()
        #expect(parts.map { String($0.prefix(3)) } == ["200", "404"])
        #expect(
            parts.first?.hasSuffix(#"[{"accepted":5,"address":"10.32.1.2:80","backlogParked":0,"container":"c1"}]"#)
                == true)
        #expect(parts.last?.hasSuffix(#"{"error":"no container c9"}"#) == true)
    }

    @Test(arguments: [
        ("GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", "404", #"{"error":"no such resource: \"/nothing\""}"#),
        ("PUT /v1/containers HTTP/1.1\r\nhost: x\r\n\r\n", "405", #"{"error":"/v1/containers takes GET, POST only"}"#),
        (
            "DELETE /v1/containers/a%2Fb HTTP/1.1\r\nhost: x\r\n\r\n", "404",
            #"{"error":"no such resource: \"/v1/containers/a%2Fb\""}"#
        ),
        (
            "POST /v1/containers HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{", "400",
            #"{"error":"the body is not JSON"}"#
        ),
        (
            "POST /v1/containers HTTP/1.1\r\nhost: x\r\ncontent-length: 12\r\n\r\n{\"name\":\"a\"}", "400",
            #"{"error":"netns: is missing; add it"}"#
        ),
        (
            "POST /v1/containers HTTP/1.1\r\nhost: x\r\ncontent-length: 24\r\n\r\n{\"name\":\"a\",\"netns\":\"x\"}",
            "400",
            #"{"error":"netns: not an absolute path; use one such as /run/netns/a"}"#
        ),
    ])
    func `a request that makes no sense gets an error`(request: String, status: String, body: String) async throws {
        let text = try await converse(request)
        #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
        #expect(text.hasSuffix(body), "\(text)")
    }

    @Test func `a body that is too large is refused before its end`() async throws {
        let head = "POST /v1/containers HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n"
        let text = try await converse(head + String(repeating: " ", count: 70000))
        #expect(text.hasPrefix("HTTP/1.1 413 "))
        #expect(text.contains("connection: close"))
        #expect(text.hasSuffix(#"{"error":"the body is larger than 64 KiB"}"#))
    }

    @Test func `what is not HTTP is cut off`() async throws {
        #expect(try await converse("\u{16}\u{3}\u{1} HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 400"))
    }
}
