package import SlimRegistry

/// A key under which connections to one router are announced, and where that router accepts them.
package struct PreambleKey: Sendable, Equatable {
    package static let secretBytes = 32
    static let maximumPorts = 256

    package let id: UInt64
    /// 32 bytes.
    package let secret: [UInt8]
    package let dataPorts: [Port]
    /// Whether the sender refuses prepared preambles that it is told to: it may be sent some.
    package let voids: Bool

    package init(id: UInt64, secret: [UInt8], dataPorts: [Port], voids: Bool = false) {
        self.voids = voids
        self.id = id
        self.secret = secret
        self.dataPorts = dataPorts
    }
}

extension PreambleKey: CustomStringConvertible {
    /// Without the secret: this may reach a log.
    package var description: String { "PreambleKey(id: \(id), dataPorts: \(dataPorts))" }
}
