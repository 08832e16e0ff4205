import Testing

@testable import SlimJSON

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONNode { try JSONParser.parse(Array(text.utf8), file: "f") }

    @Test func `every kind of value is read`() throws {
        let node = try parse(#" {"a": [null, true, false, -1.5e+3, 0], "b": "x\n\u00e4\ud83d\ude00/\/", "c": {}} "#)
        #expect(
            node
                == .object([
                    .init(
                        key: "a", value: .array([.null, .bool(true), .bool(false), .number("-1.5e+3"), .number("0")])),
                    .init(key: "b", value: .string("x\n\u{e4}\u{1f600}//")),
                    .init(key: "c", value: .object([])),
                ]))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,", "[1,]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "tru", "nul", "01", "-", "1.",
        "1e", ".5", "+1",
        "\"", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\u{1}\"", "1 2", "[1 2]",
        "{'a': 1}", "// c",
        "\u{feff}{}", "NaN", "{1: 2}",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: ConfigurationError.self) { try parse(text) }
    }

    @Test func `nesting is bounded`() throws {
        #expect(throws: Never.self) { try parse(String(repeating: "[", count: 32) + String(repeating: "]", count: 32)) }
        let error = try #require(throws: ConfigurationError.self) { try parse(String(repeating: "[", count: 100_000)) }
        #expect(error.description == "f:1:33: nested deeper than 32 levels; flatten it")
    }

    @Test func `text that is not UTF-8 is refused where it stands`() throws {
        let bytes = Array("{\n \"a\": \"".utf8) + [0xff, 0x22, 0x7d]
        let error = try #require(throws: ConfigurationError.self) { try JSONParser.parse(bytes, file: "f") }
        #expect(error.description == "f:2:8: not UTF-8; save the file as UTF-8")
    }

    @Test func `garbage never traps`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("{}[]\",:\\u0123eE+-.tfn \n\u{e4}".utf8)
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            _ = try? JSONParser.parse(bytes, file: "f")
        }
    }
}
