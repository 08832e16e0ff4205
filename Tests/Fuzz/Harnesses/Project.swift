import Foundation

/// Where the project's own files are.
enum Project {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static let corpora = root + "/Tests/Fuzz/Corpora"

    /// Every input that is checked in for a harness, by the name of its file.
    static func corpus(of harness: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = "\(corpora)/\(harness)"
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            (name, Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
        }
    }
}
