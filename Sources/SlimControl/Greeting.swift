/// The first frame each way: who speaks, and which versions of the protocol it knows.
struct Greeting: Equatable {
    /// The newest version that we speak.
    static let newestVersion = 1
    static let oldestVersion = 1

    let version: Int
    let oldestVersion: Int
    let name: String
    let software: String

    init(version: Int = newestVersion, oldestVersion: Int = Greeting.oldestVersion, name: String, software: String) {
        self.version = version
        self.oldestVersion = oldestVersion
        self.name = name
        self.software = software
    }

    /// The newest version that both know; `nil` when there is none.
    func agreedVersion(with other: Greeting) -> Int? {
        let agreed = min(version, other.version)
        return agreed >= max(oldestVersion, other.oldestVersion) ? agreed : nil
    }

    var versions: String { oldestVersion == version ? "version \(version)" : "versions \(oldestVersion) to \(version)" }
}
