import SlimRegistry
import Testing

@testable import SlimRouterCore

struct PreparedTests {
    private static let web = contact("10.32.2.2", 80)
    private static let store = contact("10.32.2.3", 6379)

    private static func contact(_ destination: String, _ port: UInt16) -> Contact {
        Contact(
            source: IPAddress("10.32.1.2") ?? .anyV4,
            destination: Endpoint(IPAddress(destination) ?? .anyV4, Port(port)))
    }

    /// The macros take no mutating call.
    private static func accept(
        _ window: inout PreparedWindow, _ counter: UInt64, of contact: Contact = web,
        at now: ContinuousClock.Instant = .now
    ) -> Bool { window.accept(counter, of: contact, at: now) }

    // MARK: What is accepted

    @Test func `a prepared preamble counts once, in any order`() {
        var window = PreparedWindow()
        for counter in (1...1000 as ClosedRange<UInt64>).shuffled() {
            #expect(Self.accept(&window, counter))
            #expect(!Self.accept(&window, counter))
        }
    }

    @Test func `one that has waited while thousands were used is good, one from far behind is not`() {
        var window = PreparedWindow()
        #expect(Self.accept(&window, PreparedWindow.size))
        #expect(Self.accept(&window, 1))
        #expect(Self.accept(&window, PreparedWindow.size + 2))
        #expect(!Self.accept(&window, 2))
    }

    @Test func `what is declared void is refused, what is newer is not`() {
        var window = PreparedWindow()
        window.void(through: 10)
        #expect(!Self.accept(&window, 10))
        #expect(Self.accept(&window, 11))
    }

    @Test func `what is void between two containers is good between others`() {
        var window = PreparedWindow()
        window.void(through: 0, [(Self.web, UInt64(20))])
        #expect(!Self.accept(&window, 20))
        #expect(Self.accept(&window, 20, of: Self.store))
        #expect(Self.accept(&window, 21))
    }

    @Test func `an older notice takes nothing back`() {
        var window = PreparedWindow()
        window.void(through: 10, [(Self.web, UInt64(20))])
        window.void(through: 5, [(Self.web, UInt64(15))])
        #expect(!Self.accept(&window, 10, of: Self.store))
        #expect(!Self.accept(&window, 20))
    }

    @Test func `more notices than are remembered make all of them void`() {
        var window = PreparedWindow()
        let contacts = (1...70_000).map { index in
            (Contact(source: IPAddress(v4Bits: UInt32(index)), destination: Self.web.destination), UInt64(index))
        }
        window.void(through: 0, contacts)
        #expect(!Self.accept(&window, 69_999, of: Self.store))
        #expect(Self.accept(&window, 70_001, of: Self.store))
    }

    @Test func `after its end a window lets nothing in, and an end is not put off`() {
        var window = PreparedWindow()
        let now = ContinuousClock.now
        window.end(at: now + .seconds(1))
        window.end(at: now + .seconds(9))
        #expect(Self.accept(&window, 1, at: now))
        #expect(!Self.accept(&window, 2, at: now + .seconds(1)))
    }

    // MARK: What is issued

    @Test func `preambles become void by their age, and not before`() {
        var issue = PreparedIssue()
        let start = ContinuousClock.now
        for _ in 1...10 { _ = issue.next(for: Self.web) }
        #expect(Self.expire(&issue, start) == nil)
        for _ in 1...10 { _ = issue.next(for: Self.web) }
        #expect(Self.expire(&issue, start + .seconds(2)) == nil)
        #expect(Self.expire(&issue, start + .milliseconds(4900)) == nil)
        #expect(Self.expire(&issue, start + .milliseconds(5000)) == 10)
        #expect(issue.isOut)
        #expect(Self.expire(&issue, start + .seconds(7)) == 20)
        #expect(!issue.isOut)
        #expect(Self.expire(&issue, start + .seconds(20)) == nil)
    }

    @Test func `only what is denied is withdrawn, once, up to its newest`() {
        var issue = PreparedIssue()
        for _ in 1...3 { _ = issue.next(for: Self.web) }
        _ = issue.next(for: Self.store)
        let first = Self.withdraw(&issue) { $0 == Self.web }
        #expect(first.map(\.0) == [Self.web] && first.map(\.1) == [3])
        #expect(Self.withdraw(&issue) { $0 == Self.web }.isEmpty)
        #expect(Self.withdraw(&issue) { _ in true }.map(\.1) == [4])
    }

    @Test func `what has expired need not be withdrawn`() {
        var issue = PreparedIssue()
        let start = ContinuousClock.now
        _ = issue.next(for: Self.web)
        _ = Self.expire(&issue, start)
        #expect(Self.expire(&issue, start + .seconds(6)) == 1)
        #expect(Self.withdraw(&issue) { _ in true }.isEmpty)
    }

    private static func expire(_ issue: inout PreparedIssue, _ now: ContinuousClock.Instant) -> UInt64? {
        issue.expire(at: now)
    }

    private static func withdraw(
        _ issue: inout PreparedIssue, where isDenied: (Contact) -> Bool
    ) -> [(Contact, UInt64)] { issue.withdraw(where: isDenied) }

    // MARK: How many

    @Test func `the batch follows the rate`() {
        let start = ContinuousClock.now
        var batch = PreparedBatch(at: start)
        #expect(batch.target == PreparedBatch.least && batch.low == 1)
        batch.use(30)
        batch.adapt(at: start + .milliseconds(100))
        #expect(batch.target == 30)
        batch.use(1000)
        batch.adapt(at: start + .milliseconds(200))
        #expect(batch.target == PreparedBatch.most && batch.low == PreparedBatch.most - PreparedBatch.atOnce)
        for step in 3...20 { batch.adapt(at: start + .seconds(step)) }
        #expect(batch.target == PreparedBatch.least)
    }

    @Test func `a wanted connection that was not there doubles the batch, up to a limit`() {
        var batch = PreparedBatch(at: .now)
        batch.miss()
        #expect(batch.target == 2 * PreparedBatch.least)
        for _ in 0..<20 { batch.miss() }
        #expect(batch.target == PreparedBatch.most)
    }
}
