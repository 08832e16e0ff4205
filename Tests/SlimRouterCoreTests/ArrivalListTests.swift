import SlimSystem
import Testing

@testable import SlimRouterCore

struct ArrivalListTests {
    private static func arrival() throws -> Arrival {
        Arrival(
            try StreamSocket.open(.v4, nonblocking: true), deadline: .now,
            first: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    @Test func `whatever is taken out, the oldest of the others is known`() throws {
        var random = SystemRandomNumberGenerator()
        var list = ArrivalList()
        var plain: [Arrival] = []
        for _ in 0..<2000 {
            if plain.isEmpty || Bool.random(using: &random) {
                plain.append(try Self.arrival())
                if let newest = plain.last { list.append(newest) }
            } else {
                list.remove(plain.remove(at: Int.random(in: 0..<plain.count, using: &random)))
            }
            #expect(list.oldest === plain.first)
            #expect(list.count == plain.count && list.isEmpty == plain.isEmpty)
        }
        while let oldest = list.oldest { list.remove(oldest) }
        #expect(list.isEmpty)
    }
}
