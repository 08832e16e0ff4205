internal import ArgumentParser
internal import SlimAdmin

/// How a verb that reports does so.
struct ReportOptions: ParsableArguments {
    @OptionGroup var router: RouterOptions
    @Flag(help: "Print JSON.") var json = false

    /// Prints JSON, or else a table with one row an item.
    func report<Item: Encodable>(
        _ items: [Item], columns: [TextTable.Column], row: (Item) -> [String]
    ) throws {
        if json { return try Output.writeJSON(items) }
        Output.write(TextTable(columns: columns, rows: items.map(row)))
    }
}
