/// Changes a container's labels: `PATCH /v1/containers/NAME`.
package struct RelabelRequest: Codable, Equatable, Sendable {
    /// Labels to have, new or with another value.
    package var set: [String: String]
    /// Labels not to have.
    package var remove: [String]

    package init(set: [String: String] = [:], remove: [String] = []) {
        self.set = set
        self.remove = remove
    }

    package func apply(to labels: [String: String]) -> [String: String] {
        labels.filter { !remove.contains($0.key) }.merging(set) { $1 }
    }
}
