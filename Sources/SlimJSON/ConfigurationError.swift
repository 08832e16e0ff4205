/// Why a configuration file was not taken: one line that says what, where and how to mend it.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where in the file.
    package enum Place: Equatable, Sendable {
        /// The file itself: missing, unreadable, too large.
        case file
        /// A syntax error; both count from 1, the column in bytes.
        case position(line: Int, column: Int)
        /// The JSON path of a value, such as `overlay.subnets[0]`; empty for the outermost object.
        case path(String)
        /// The JSON path of a value and where it begins, as in ``position(line:column:)``.
        case value(path: String, line: Int, column: Int)
    }

    package let file: String
    package let place: Place
    package let problem: String
    /// What to do about it.
    package let remedy: String

    package init(file: String, place: Place, problem: String, remedy: String) {
        self.file = file
        self.place = place
        self.problem = problem
        self.remedy = remedy
    }

    package var description: String {
        let position =
            switch place {
            case .position(let line, let column), .value(_, let line, let column): ":\(line):\(column)"
            case .file, .path: ""
            }
        let path =
            switch place {
            case .path(let path), .value(let path, _, _): path.isEmpty ? "" : " \(path):"
            case .file, .position: ""
            }
        return "\(file)\(position):\(path) \(problem); \(remedy)"
    }
}

/// Text from outside as it may stand in a message: quoted, without control characters, never long.
package func quoted(_ text: String) -> String {
    let longest = 80
    var shown = ""
    for scalar in text.unicodeScalars.prefix(longest) {
        shown +=
            scalar.properties.generalCategory == .control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return "\"\(shown)\(text.unicodeScalars.prefix(longest + 1).count > longest ? "..." : "")\""
}
