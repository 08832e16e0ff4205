/// Parses JSON (RFC 8259), strictly: no comments, no trailing commas, no key twice, bounded nesting.
///
/// Not `JSONDecoder`, because that tells neither the line of a mistake nor that a key is unknown.
package struct JSONParser {
    private static let deepest = 32

    private let file: String
    private let text: [UInt8]
    private var offset = 0
    private var depth = 0

    private init(_ text: [UInt8], file: String) {
        self.text = text
        self.file = file
    }

    /// - Parameter file: named in errors.
    package static func parse(_ text: [UInt8], file: String) throws(ConfigurationError) -> JSONNode {
        var parser = JSONParser(text, file: file)
        try parser.checkEncoding()
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.offset == text.count else {
            throw parser.error("text after the end of the JSON value", "remove it")
        }
        return value
    }

    // MARK: Values

    private mutating func value() throws(ConfigurationError) -> JSONNode {
        switch peek {
        case UInt8(ascii: "{"): return try nested { (parser) throws(ConfigurationError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(ConfigurationError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"): return .number(try number())
        case let byte? where Self.isDigit(byte): return .number(try number())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil where text.allSatisfy(Self.isSpace): throw error("the file is empty", "write a JSON object into it")
        case nil: throw error("the file ends in the middle", "complete it")
        default: throw error("expected a value", "strings are quoted with \", and there are no comments in JSON")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(ConfigurationError) -> JSONNode
    ) throws(ConfigurationError) -> JSONNode {
        depth += 1
        guard depth <= Self.deepest else {
            throw error("nested deeper than \(Self.deepest) levels", "flatten it")
        }
        let node = try body(&self)
        depth -= 1
        return node
    }

    private mutating func object() throws(ConfigurationError) -> JSONNode {
        offset += 1
        var members: [JSONNode.Member] = []
        var keys = KeySet()
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            let start = offset
            guard peek == UInt8(ascii: "\"") else {
                throw error("expected a key in quotes", "write \"key\": value, without a comma after the last one")
            }
            let key = try string()
            guard keys.insert(key, beside: members) else {
                offset = start
                throw error("the key \(quoted(key)) stands twice in one object", "remove one of them")
            }
            skipSpace()
            guard take(":") else { throw error("expected a colon after the key \(quoted(key))", "insert ':'") }
            skipSpace()
            members.append(JSONNode.Member(key: key, value: try value()))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("expected a comma or the end of the object", "insert ',' or '}'") }
        }
    }

    private mutating func array() throws(ConfigurationError) -> JSONNode {
        offset += 1
        var elements: [JSONNode] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw error("expected a comma or the end of the array", "insert ',' or ']'") }
        }
    }

    private mutating func word(_ word: String, _ node: JSONNode) throws(ConfigurationError) -> JSONNode {
        guard text[offset...].starts(with: word.utf8) else {
            throw error("expected a value", "strings are quoted with \"; the words are true, false and null")
        }
        offset += word.utf8.count
        return node
    }

    private mutating func number() throws(ConfigurationError) -> String {
        let start = offset
        _ = take("-")
        let leadingZero = peek == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !leadingZero || whole == 1 else {
            throw error("not a JSON number", "write it without a leading zero")
        }
        if take("."), digits() == 0 { throw error("not a JSON number", "write a digit after the point") }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            if digits() == 0 { throw error("not a JSON number", "write a digit after the exponent's sign") }
        }
        return String(decoding: text[start..<offset], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = offset
        while let byte = peek, Self.isDigit(byte) { offset += 1 }
        return offset - start
    }

    // MARK: Strings

    private mutating func string() throws(ConfigurationError) -> String {
        offset += 1
        let start = offset
        skipPlainText()
        if peek == UInt8(ascii: "\"") {
            offset += 1
            return String(decoding: text[start..<offset - 1], as: UTF8.self)
        }
        var bytes = Array(text[start..<offset])
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                offset += 1
                bytes += try escape()
            case 0..<0x20:
                throw error(
                    "a control character or line end within a string", "close the string or write it as \\u00XX")
            default:
                let start = offset
                skipPlainText()
                bytes += text[start..<offset]
            }
        }
        throw error("the file ends within a string", "close it with \"")
    }

    /// To the next byte that means something within a string.
    private mutating func skipPlainText() {
        while let byte = peek, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { offset += 1 }
    }

    private mutating func escape() throws(ConfigurationError) -> [UInt8] {
        let letter = peek
        offset += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return letter.map { [$0] } ?? []
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xd800...0xdbff).contains(code), take("\\"), take("u") {
                let low = try hexadecimal()
                if (0xdc00...0xdfff).contains(low) { code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00) }
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw error("half of a surrogate pair", "write the character itself")
            }
            return Array(String(scalar).utf8)
        default:
            offset -= 1
            throw error("unknown escape in a string", "write a backslash as \\\\")
        }
    }

    private mutating func hexadecimal() throws(ConfigurationError) -> UInt32 {
        let digits = text[offset...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("\\u wants four hexadecimal digits", "write them") }
        offset += 4
        return code
    }

    // MARK: Bytes

    private var peek: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    private mutating func skipSpace() {
        while let byte = peek, Self.isSpace(byte) { offset += 1 }
    }

    private mutating func checkEncoding() throws(ConfigurationError) {
        if String(validating: text, as: UTF8.self) != nil { return }
        var decoder = Unicode.UTF8.ForwardParser()
        var bytes = text.makeIterator()
        var valid = 0
        while true {
            switch decoder.parseScalar(from: &bytes) {
            case .valid(let scalar): valid += scalar.count
            case .emptyInput: return
            case .error:
                offset = valid
                throw error("not UTF-8", "save the file as UTF-8")
            }
        }
    }

    private func error(_ problem: String, _ remedy: String) -> ConfigurationError {
        let (line, column) = position
        return ConfigurationError(
            file: file, place: .position(line: line, column: column), problem: problem, remedy: remedy)
    }

    private var position: (line: Int, column: Int) {
        let before = text[..<min(offset, text.count)]
        let line = 1 + before.count { $0 == 0x0a }
        return (line, 1 + before.count - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0))
    }
}

extension JSONParser {
    /// Where in a text that has been parsed a value begins, or one of its keys; `nil` when it is not there.
    ///
    /// Looked for only when it is asked for: no value pays for carrying its place.
    static func position(of path: JSONPath, key: String?, in text: [UInt8]) -> (line: Int, column: Int)? {
        var parser = JSONParser(text, file: "")
        do throws(ConfigurationError) {
            parser.skipSpace()
            for step in path.steps {
                switch step {
                case .key(let key): guard try parser.enterMember(key) != nil else { return nil }
                case .element(let index): guard try parser.enterElement(index) else { return nil }
                }
            }
            if let key {
                guard let start = try parser.enterMember(key) else { return nil }
                parser.offset = start
            }
            return parser.position
        } catch {
            return nil
        }
    }

    /// From an object to the value of one of its keys.
    ///
    /// - Returns: where the key stands.
    private mutating func enterMember(_ name: String) throws(ConfigurationError) -> Int? {
        guard take("{") else { return nil }
        skipSpace()
        while peek == UInt8(ascii: "\"") {
            let start = offset
            let key = try string()
            skipSpace()
            _ = take(":")
            skipSpace()
            if key == name { return start }
            _ = try value()
            skipSpace()
            _ = take(",")
            skipSpace()
        }
        return nil
    }

    private mutating func enterElement(_ index: Int) throws(ConfigurationError) -> Bool {
        guard take("[") else { return false }
        skipSpace()
        for _ in 0..<index {
            _ = try value()
            skipSpace()
            _ = take(",")
            skipSpace()
        }
        return true
    }
}

/// The keys of an object under way: most have few, where comparing is quicker than hashing.
private struct KeySet {
    private static let few = 16
    private var many: Set<String> = []

    /// - Returns: whether the key is new.
    mutating func insert(_ key: String, beside members: [JSONNode.Member]) -> Bool {
        if members.count < Self.few { return !members.contains { $0.key == key } }
        if many.isEmpty { many = Set(members.map(\.key)) }
        return many.insert(key).inserted
    }
}
