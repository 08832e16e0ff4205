/// Feeds bytes from outside to the code that reads them, and looks at what must hold whatever they are.
protocol Harness: AnyObject, SendableMetatype {
    static var name: String { get }
    /// Longer inputs reach nothing that shorter ones do not.
    static var longest: Int { get }
    /// What inputs are made of.
    static var words: [String] { get }
    /// Well-formed inputs, made by the code that writes what is read here.
    static func seeds() throws -> [[UInt8]]

    init() throws
    /// - Throws: ``Finding``.
    func run(_ input: UnsafeRawBufferPointer) throws
}

/// Something that must never be.
struct Finding: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    guard holds else { throw Finding(what()) }
}

enum Harnesses {
    static let all: [any Harness.Type] = [
        ApplicationHarness.self, LibraryHarness.self, PreambleHarness.self, ControlHarness.self, PolicyHarness.self,
        ConfigurationHarness.self, NetlinkHarness.self,
    ]
}
