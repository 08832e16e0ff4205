/// The way from the outermost value of a JSON text to another one.
package indirect enum JSONPath: Sendable {
    case root
    case key(String, of: JSONPath)
    case element(Int, of: JSONPath)

    enum Step {
        case key(String)
        case element(Int)
    }

    /// From the outermost value inwards.
    var steps: [Step] {
        var steps: [Step] = []
        var path = self
        while true {
            switch path {
            case .root: return steps.reversed()
            case .key(let key, let parent):
                steps.append(.key(key))
                path = parent
            case .element(let index, let parent):
                steps.append(.element(index))
                path = parent
            }
        }
    }
}

extension JSONPath: CustomStringConvertible {
    /// Such as `overlay.subnets[0]` or `labels["a.b"]`; empty for the outermost value.
    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key) where !Self.isPlain(key): text += "[\(quoted(key))]"
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .element(let index): text += "[\(index)]"
            }
        }
        return text
    }

    private static func isPlain(_ key: String) -> Bool {
        (1...80).contains(key.utf8.count)
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"):
                    true
                default: false
                }
            }
    }
}
