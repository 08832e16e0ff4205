internal import ArgumentParser
internal import SlimAdmin

struct LabelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label",
        abstract: "Changes a container's labels; connections that the policy then forbids are cut.")

    @OptionGroup var router: RouterOptions
    @Argument(help: "The container.") var name: String
    @Argument(help: ArgumentHelp("key=value sets a label, key- removes it.", valueName: "change"))
    var changes: [LabelChange]
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        var request = RelabelRequest()
        for change in changes {
            switch change {
            case .set(let label): request.set[label.key] = label.value
            case .remove(let key): request.remove.append(key)
            }
        }
        let container = try await router.client().relabel(name, request)
        if json { return try Output.writeJSON(container) }
        let labels = container.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        Output.write("\(container.name) \(labels.joined(separator: ","))\n")
    }
}

/// One change on the command line.
enum LabelChange: ExpressibleByArgument {
    case set(Label)
    case remove(String)

    init?(argument: String) {
        if let label = Label(argument: argument) {
            self = .set(label)
        } else if argument.hasSuffix("-"), argument.utf8.count > 1 {
            self = .remove(String(argument.dropLast()))
        } else {
            return nil
        }
    }
}
