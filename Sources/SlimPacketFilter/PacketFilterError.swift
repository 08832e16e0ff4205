/// Why the kernel's packet filter is not as it should be: one line.
package struct PacketFilterError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    package var description: String { message }
}
