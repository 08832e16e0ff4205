package import SlimRegistry

/// One end of a connection or packet: an address, and the container that has it.
///
/// A container with an IPv4 and an IPv6 address is two endpoints: of each connection the one whose address it shows.
package struct PolicyEndpoint: Hashable, Sendable {
    package struct Identity: Hashable, Sendable {
        package let name: String
        package let labels: [String: String]

        package init(name: String, labels: [String: String]) {
            self.name = name
            self.labels = labels
        }
    }

    /// `nil`: no container of the overlay.
    package let container: Identity?
    package let address: IPAddress

    /// A container of the overlay.
    package init(name: String, labels: [String: String], address: IPAddress) {
        container = Identity(name: name, labels: labels)
        self.address = address
    }

    /// An address outside the overlay.
    package init(outside address: IPAddress) {
        container = nil
        self.address = address
    }
}
