internal import SlimControl
internal import SlimRegistry

/// One container's interest in one destination: policies judge pairs.
struct Contact: Hashable {
    let source: IPAddress
    let destination: Endpoint
}

/// What a peer has said about destinations on its host, until it says otherwise.
struct ResolutionTable {
    private let capacity: Int
    private var answers: [Endpoint: [IPAddress: ResolveAnswer]] = [:]
    private var count = 0

    init(capacity: Int) { self.capacity = capacity }

    subscript(contact: Contact) -> ResolveAnswer? { answers[contact.destination]?[contact.source] }

    /// Remembers an answer. A full table starts anew: what is forgotten is asked again.
    mutating func insert(_ answer: ResolveAnswer, for contact: Contact) {
        if count >= capacity { removeAll() }
        if answers[contact.destination, default: [:]].updateValue(answer, forKey: contact.source) == nil { count += 1 }
    }

    mutating func remove(_ destination: Endpoint) {
        count -= answers.removeValue(forKey: destination)?.count ?? 0
    }

    mutating func removeAll() {
        answers = [:]
        count = 0
    }
}
