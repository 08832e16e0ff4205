/// The text that nftables is given: Slim's tables whole, in place of those before, as one transaction.
struct Ruleset {
    /// The name of Slim's tables, one in the family `bridge`, one in the family `inet`.
    static let table = "slim"
    /// A chain that is there whenever the tables are.
    static let firstChain = "arriving"

    let text: String

    init(_ rules: PacketRules) {
        let judged = JudgementChains(rules).lines
        let tables =
            Self.removalLines
            + ["table bridge \(Self.table) {"] + SourceChains(rules.containers).lines + ["}"]
            // Without anything to judge nothing is tracked.
            + (judged.isEmpty ? [] : ["table inet \(Self.table) {"] + judged + ["}"])
        text = tables.joined(separator: "\n") + "\n"
    }

    /// Removes the tables; that they are not there is no error.
    static let removal = removalLines.joined(separator: "\n") + "\n"

    // A table can be deleted only if it is there, and added also if it is.
    private static let removalLines = ["bridge", "inet"].flatMap { family in
        ["add table \(family) \(table)", "delete table \(family) \(table)"]
    }
}

/// A set, a map or a chain of a table, as lines.
package func block(_ head: String, _ body: [String]) -> [String] {
    ["\t\(head) {"] + body.map { "\t\t\($0)" } + ["\t}"]
}

/// The elements of a set or map; nftables knows no empty list.
package func elements(_ list: [String]) -> [String] {
    list.isEmpty ? [] : ["elements = { \(list.joined(separator: ", ")) }"]
}
