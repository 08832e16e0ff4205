import SlimPKI
import SlimRegistry
import Testing

@testable import SlimControl

@Suite struct RulesTests {
    @Test func `two sides speak the newest version that both know, or none`() {
        func agreed(_ a: ClosedRange<Int>, _ b: ClosedRange<Int>) -> Int? {
            let greeting = { (range: ClosedRange<Int>) in
                Greeting(version: range.upperBound, oldestVersion: range.lowerBound, name: "h", software: "s")
            }
            return greeting(a).agreedVersion(with: greeting(b))
        }
        #expect(agreed(1...1, 1...1) == 1)
        #expect(agreed(1...3, 2...5) == 3)
        #expect(agreed(2...5, 1...3) == 3)
        #expect(agreed(1...1, 2...2) == nil)
        #expect(agreed(4...5, 1...3) == nil)
    }

    @Test func `strangers have four places an address, one flood's worth in all`() {
        var admission = AdmissionControl()
        let address = { (index: Int) in IPAddress(v4Bits: UInt32(0x0a00_0000 + index)) }
        let known = address(99_999)
        admission.knownAddresses = [known]
        var taken: [Bool] = (0..<5).map { _ in admission.admit(address(0)) }
        #expect(taken == [true, true, true, true, false])
        admission.release(address(0))
        taken = (0..<2).map { _ in admission.admit(address(0)) }
        #expect(taken == [true, false])
        for index in 1..<64 { for _ in 0..<4 { taken.append(admission.admit(address(index))) } }
        #expect(taken.count { $0 } == 1 + 63 * 4)
        let atLimit = (admission.admit(address(64)), admission.admit(known))
        #expect(atLimit == (false, true))
        admission.release(known)
        for index in 0..<64 { for _ in 0..<4 { admission.release(address(index)) } }
        let afterwards = admission.admit(address(64))
        #expect(afterwards)
    }

    @Test func `an IPv6 stranger cannot use the rest of its network for more places`() {
        var admission = AdmissionControl()
        let taken = (0..<5).map { admission.admit(IPAddress(v6High: 0x2001_0db8_0000_0001, low: UInt64($0))) }
        #expect(taken == [true, true, true, true, false])
        let neighbour = admission.admit(IPAddress(v6High: 0x2001_0db8_0000_0002, low: 0))
        #expect(neighbour)
    }

    @Test func `the wait between attempts doubles up to the longest, with jitter downwards`() {
        var backoff = Backoff(shortest: .milliseconds(100), longest: .seconds(1))
        let waits = (0..<6).map { _ in backoff.next(jitter: 1) }
        #expect(waits == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
        let shortened = backoff.next(jitter: 0)
        #expect(shortened == .milliseconds(500))
        backoff.reset()
        let first = backoff.next(jitter: 1)
        #expect(first == .milliseconds(100))
    }

    @Test func `one line a second is logged, and the others are counted`() {
        var limiter = LogLimiter()
        let start = ContinuousClock.now
        let counts = [0, 500, 999, 1001, 3000].map { limiter.admit(at: start + .milliseconds($0)) }
        #expect(counts == [0, nil, nil, 2, 0])
    }

    @Test func `a peer's words stay on one line`() {
        #expect(ConnectionFault.quote("a\nb\u{1b}[31m\0c") == "a b [31m c")
        #expect(ConnectionFault.quote(String(repeating: "é", count: 5000)).count == 200)
    }
}
