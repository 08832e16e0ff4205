internal import ArgumentParser
internal import SlimPolicy

struct PolicyDiff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what one policy says otherwise than another one; needs no router.",
        discussion: "Exits with 0 when they say the same, with 1 when not, with 2 when one of them is wrong.")

    @Argument(help: "The policy to compare with.", completion: .file(extensions: ["json"])) var old: String
    @Argument(help: "The policy that is new.", completion: .file(extensions: ["json"])) var new: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let difference = PolicyDifference(from: try PolicyDocument.load(old), to: try PolicyDocument.load(new))
        if json {
            try Output.writeJSON(difference.changes.map(Entry.init))
        } else {
            for change in difference.changes { Output.write(Self.lines(change)) }
        }
        if !difference.isEmpty { throw ExitCode.failure }
    }

    /// As `diff` has it: a line with `-` for what is gone, one with `+` for what is new.
    private static func lines(_ change: PolicyDifference.Change) -> String {
        [("-", change.before), ("+", change.after)].compactMap { sign, text in
            text.map { "\(sign) \(change.part): \($0)\n" }
        }.joined()
    }

    private struct Entry: Encodable {
        let part: String
        let name: String?
        let before: String?
        let after: String?

        init(_ change: PolicyDifference.Change) {
            (part, name, before, after) = (change.part, change.name, change.before, change.after)
        }
    }
}
