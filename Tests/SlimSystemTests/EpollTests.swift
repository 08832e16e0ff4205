import SlimSystem
import SystemPackage
import Testing

struct EpollTests {
    private static func events(_ epoll: borrowing Epoll) throws -> [(UInt64, Epoll.Interest)] {
        var events: [(UInt64, Epoll.Interest)] = []
        _ = try epoll.wait(.zero) { events.append(($0, $1)) }
        return events
    }

    @Test func `a token comes back with what happened`() throws {
        let epoll = try Epoll()
        let pair = try LocalSocket.connected()
        try epoll.add(pair.one.raw, .read, token: .max - 1)
        #expect(try Self.events(epoll).isEmpty)
        try LocalSocket.send(UInt64(7), to: pair.other.raw)
        let happened = try Self.events(epoll)
        #expect(happened.map(\.0) == [.max - 1])
        #expect(happened[0].1 == .read)
    }

    @Test func `interest can change, and end`() throws {
        let epoll = try Epoll()
        let pair = try LocalSocket.connected()
        try epoll.add(pair.one.raw, [], token: 1)
        try LocalSocket.send(UInt64(7), to: pair.other.raw)
        #expect(try Self.events(epoll).isEmpty)
        try epoll.change(pair.one.raw, [.read, .write], token: 2)
        let happened = try Self.events(epoll)
        #expect(happened.map(\.0) == [2])
        #expect(happened[0].1 == [.read, .write])
        epoll.remove(pair.one.raw)
        epoll.remove(pair.one.raw)
        #expect(try Self.events(epoll).isEmpty)
        #expect(throws: Errno.noSuchFileOrDirectory) { try epoll.change(pair.one.raw, .read, token: 3) }
    }

    @Test func `a hang-up is told to who wants nothing`() throws {
        let epoll = try Epoll()
        let pair = try LocalSocket.pair()
        let one = OwnedDescriptor(pair.0)
        try epoll.add(one.raw, [], token: 9)
        _ = OwnedDescriptor(pair.1)
        #expect(try Self.events(epoll).contains { $0.0 == 9 && $0.1.contains(.hangUp) })
    }

    @Test func `more events than fit one call are announced`() throws {
        let epoll = try Epoll()
        var raw: [CInt] = []
        defer { for each in raw { _ = OwnedDescriptor(each) } }
        for token in 0..<300 as Range<UInt64> {
            let pair = try LocalSocket.pair()
            raw += [pair.0, pair.1]
            try epoll.add(pair.0, .write, token: token)
        }
        var seen: Set<UInt64> = []
        #expect(try epoll.wait(.zero) { token, _ in seen.insert(token) })
        #expect(seen.count == 256)
        _ = try epoll.wait(.zero) { token, _ in seen.insert(token) }
        #expect(seen.count == 300)
    }

    @Test func `a wake-up is readable until it is cleared`() throws {
        let epoll = try Epoll()
        let wakeUp = try WakeUp()
        try epoll.add(wakeUp.raw, .read, token: 1)
        for _ in 0..<3 {
            wakeUp.signal()
            wakeUp.signal()
            #expect(try Self.events(epoll).count == 1)
            wakeUp.clear()
            wakeUp.clear()
            #expect(try Self.events(epoll).isEmpty)
        }
    }
}
