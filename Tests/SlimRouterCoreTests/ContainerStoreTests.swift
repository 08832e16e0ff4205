import Foundation
import Testing

@testable import SlimRouterCore

struct ContainerStoreTests {
    private static let records = [
        ContainerStore.Record(
            name: "blue", netns: "/run/netns/blue", cookie: .max, labels: ["app": "web", "note": "\"quoted\" \u{e4}"],
            ipv4: "10.32.1.2", ipv6: "fd00:32:0:1::2"),
        ContainerStore.Record(name: "red", netns: "/proc/17/fd/5", cookie: 1, labels: [:], ipv4: nil, ipv6: nil),
    ]

    private static func withPath(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/slim-store-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder + "/containers.json")
    }

    @Test func `what was saved is loaded`() throws {
        try Self.withPath { path in
            let store = ContainerStore(path)
            #expect(try store.load() == [])
            try store.save(Self.records)
            #expect(try ContainerStore(path).load() == Self.records)
            try store.save([])
            #expect(try store.load() == [])
        }
    }

    @Test(arguments: [
        "", "{", "[{}]", "{\"name\": 1}", "null", "[{\"name\":\"x\",\"netns\":\"/n\",\"labels\":{}}]", "\u{0}\u{1}",
    ])
    func `a broken file is an error, not an empty list`(content: String) throws {
        try Self.withPath { path in
            try Data(content.utf8).write(to: URL(filePath: path))
            #expect(throws: (any Error).self) { try ContainerStore(path).load() }
        }
    }

    @Test func `saving replaces the file and leaves no other`() throws {
        try Self.withPath { path in
            try ContainerStore(path).save(Self.records)
            try ContainerStore(path).save(Self.records)
            let folder = String(path.prefix { _ in true }.dropLast("/containers.json".count))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["containers.json"])
        }
    }

    @Test func `a place that cannot be written is an error`() {
        #expect(throws: (any Error).self) { try ContainerStore("/proc/nowhere/containers.json").save(Self.records) }
    }
}
