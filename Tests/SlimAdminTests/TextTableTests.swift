import SlimAdmin
import Testing

@Suite struct TextTableTests {
    private let table = TextTable(
        columns: [.init("NAME"), .init("COUNT", .right), .init("NOTE")],
        rows: [["a", "5", ""], ["long-name", "123", "x\ny"]])

    @Test func `columns are as wide as their widest cell, without trailing spaces`() {
        #expect(
            table.text() == """
                NAME       COUNT  NOTE
                a              5
                long-name    123  x y

                """)
    }

    @Test func `on a terminal the heading is bold`() {
        #expect(table.text(boldHeading: true).hasPrefix("\u{1b}[1mNAME       COUNT  NOTE\u{1b}[0m\n"))
    }

    @Test func `without rows there is the heading alone`() {
        #expect(TextTable(columns: [.init("NAME")], rows: []).text() == "NAME\n")
    }

    @Test(
        arguments: [
            (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m59s"), (3600, "1h"), (7384, "2h3m"), (86400, "1d"),
            (100_000, "1d3h"),
        ] as [(UInt64, String)])
    func `durations have at most two units`(seconds: UInt64, text: String) {
        #expect(TextTable.duration(seconds: seconds) == text)
    }
}
