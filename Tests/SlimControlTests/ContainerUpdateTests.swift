import NIOCore
import SlimRegistry
import Testing

@testable import SlimControl

struct ContainerUpdateTests {
    private func identities(_ count: Int, labels: [String: String]) -> [ContainerIdentity] {
        (0..<count).map {
            ContainerIdentity(name: "c\($0)", addresses: [IPAddress(v4: (10, 32, 1, UInt8($0 % 250)))], labels: labels)
        }
    }

    private func updates(_ frames: [Frame]) throws -> [ContainerUpdate] {
        try frames.map { frame in
            guard case .message(.containers(let update)) = frame else { throw FrameError.malformed("another frame") }
            return update
        }
    }

    @Test func `a long list goes in several frames, of which the last says so`() throws {
        // The largest labels that a container can have, of bytes that are escaped.
        let labels = Dictionary(
            uniqueKeysWithValues: (0..<64).map {
                (String(repeating: "k", count: 60) + "\($0)", String(repeating: "\"", count: 255))
            })
        let all = identities(20, labels: labels)
        let frames = FrameCodec.frames(for: .containers(ContainerUpdate(.last, present: all, gone: ["x"])))
        for frame in frames { #expect(try FrameCodec.encode(frame).readableBytes <= FrameCodec.maximumBodyBytes + 4) }
        let updates = try updates(frames)
        #expect(updates.count > 1)
        #expect(updates.map(\.scope) == Array(repeating: .part, count: updates.count - 1) + [.last])
        #expect(updates.flatMap(\.present) == all)
        #expect(updates.flatMap(\.gone) == ["x"])
    }

    @Test func `changes stay changes in every frame`() throws {
        let all = identities(500, labels: ["app": "web"])
        let updates = try updates(FrameCodec.frames(for: .containers(ContainerUpdate(.change, present: all))))
        #expect(updates.allSatisfy { $0.scope == .change })
        #expect(updates.flatMap(\.present) == all)
    }

    @Test func `an empty list is told too`() throws {
        #expect(try updates(FrameCodec.frames(for: .containers(ContainerUpdate(.last)))) == [ContainerUpdate(.last)])
    }
}
