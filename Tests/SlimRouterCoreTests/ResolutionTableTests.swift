import SlimControl
import SlimRegistry
import Testing

@testable import SlimRouterCore

struct ResolutionTableTests {
    private let destination = Endpoint(IPAddress(v4: (10, 32, 2, 2)), Port(80))

    private func contact(_ last: UInt8, _ port: UInt16 = 80) -> Contact {
        Contact(source: IPAddress(v4: (10, 32, 1, last)), destination: Endpoint(destination.address, Port(port)))
    }

    private func answer(_ verdict: ResolveVerdict) -> ResolveAnswer {
        ResolveAnswer(id: 1, verdict: verdict, cacheable: true)
    }

    @Test func `each source has an answer of its own, and a destination loses all of them`() {
        var table = ResolutionTable(capacity: 10)
        table.insert(answer(.listening), for: contact(2))
        table.insert(answer(.denied), for: contact(3))
        table.insert(answer(.listening), for: contact(2, 81))
        #expect(table[contact(2)]?.verdict == .listening)
        #expect(table[contact(3)]?.verdict == .denied)
        #expect(table[contact(4)] == nil)
        table.remove(destination)
        #expect(table[contact(2)] == nil)
        #expect(table[contact(3)] == nil)
        #expect(table[contact(2, 81)]?.verdict == .listening)
    }

    @Test func `a full table starts anew`() {
        var table = ResolutionTable(capacity: 2)
        table.insert(answer(.listening), for: contact(2))
        table.insert(answer(.listening), for: contact(2))
        table.insert(answer(.listening), for: contact(3))
        #expect(table[contact(2)] != nil)
        table.insert(answer(.listening), for: contact(4))
        #expect(table[contact(2)] == nil)
        #expect(table[contact(4)] != nil)
    }
}
