/// The name of a host (`h2`) or of a container on it (`h2c1`); both count from 1.
struct NodeName: Hashable, Sendable {
    let host: Int
    let container: Int?

    /// - Returns: `nil` for any other text, and for numbers with leading zeros.
    init?(_ text: String) {
        guard text.hasPrefix("h") else { return nil }
        let parts = text.dropFirst().split(separator: "c", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> Int? in
            guard let number = Int(part), number > 0, String(number) == part else { return nil }
            return number
        }
        guard numbers.count == parts.count, (1...2).contains(numbers.count) else { return nil }
        host = numbers[0]
        container = numbers.count == 2 ? numbers[1] : nil
    }
}
