internal import ArgumentParser
internal import SlimAdmin
internal import SlimJSON
internal import SlimPolicy

struct PolicyValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Checks a policy; needs no router.",
        discussion: "Exits with 0 when a router would take the file, with 2 when not.")

    @Argument(help: "The policy.", completion: .file(extensions: ["json"])) var file: String
    @Flag(help: "Print JSON, of a mistake too.") var json = false

    func run() throws {
        let policy: CompiledPolicy
        do throws(ConfigurationError) {
            policy = CompiledPolicy(try PolicyDocument.load(file))
        } catch {
            guard json else { throw error }
            try Output.writeJSON(PolicyCheck(file: file, mistake: error))
            throw ExitCode.badInput
        }
        if json { return try Output.writeJSON(PolicyCheck(file: file, policy: policy)) }
        let document = policy.document
        Output.write(
            TextTable.fields([
                ("policy", file), ("rules", "\(document.rules.count)"), ("isolations", "\(document.isolations.count)"),
                ("bandwidth", "\(document.bandwidth.count)"), ("qos", "\(document.qos.count)"),
                ("default", "ingress \(document.defaults.ingress), egress \(document.defaults.egress)"),
                ("generation", policy.generationText),
            ]))
    }
}

/// What the check of a policy found.
struct PolicyCheck: Encodable {
    struct Mistake: Encodable {
        let path: String?
        let line: Int?
        let column: Int?
        let problem: String
        let remedy: String
    }

    let file: String
    let valid: Bool
    var error: Mistake?
    var generation: String?
    var rules: Int?
    var isolations: Int?
    var bandwidth: Int?
    var qos: Int?

    init(file: String, policy: CompiledPolicy) {
        self.file = file
        valid = true
        generation = policy.generationText
        rules = policy.document.rules.count
        isolations = policy.document.isolations.count
        bandwidth = policy.document.bandwidth.count
        qos = policy.document.qos.count
    }

    init(file: String, mistake: ConfigurationError) {
        self.file = file
        valid = false
        let (path, line, column): (String?, Int?, Int?) =
            switch mistake.place {
            case .file: (nil, nil, nil)
            case .position(let line, let column): (nil, line, column)
            case .path(let path): (path, nil, nil)
            case .value(let path, let line, let column): (path, line, column)
            }
        error = Mistake(path: path, line: line, column: column, problem: mistake.problem, remedy: mistake.remedy)
    }
}
