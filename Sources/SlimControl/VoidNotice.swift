package import SlimRegistry

/// Says which prepared preambles, of those that the sender has made under a key, count no longer.
package struct VoidNotice: Sendable, Equatable {
    /// Those of one source and destination.
    package struct Contact: Sendable, Equatable {
        package let source: IPAddress
        package let destination: Endpoint
        /// The newest counter that is void.
        package let through: UInt64

        package init(source: IPAddress, destination: Endpoint, through: UInt64) {
            self.source = source
            self.destination = destination
            self.through = through
        }
    }

    /// As many fit into a frame.
    package static let mostContacts = 400

    /// Of this notice, for the answer.
    package let id: UInt64
    package let key: UInt64
    /// All up to this counter are void, whatever their source and destination.
    package let through: UInt64
    package let contacts: [Contact]

    package init(id: UInt64, key: UInt64, through: UInt64, contacts: [Contact] = []) {
        self.id = id
        self.key = key
        self.through = through
        self.contacts = contacts
    }
}
