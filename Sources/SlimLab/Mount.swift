/// One line of `mountinfo`.
struct Mount: Hashable, Sendable {
    let path: String
    let type: String
    let source: String

    /// Whether the calling program runs in a container of a lab, from where labs can be damaged but not managed.
    static var areOfLabContainer: Bool { all().contains { $0.path == "/etc/hosts" && $0.source == slimLabSource } }

    /// What the lab's own file systems are mounted from.
    static let slimLabSource = "slim-lab"

    /// The mounts that the calling thread sees, in the order they were made.
    static func all() -> [Mount] {
        guard let content = try? LabFile.read("/proc/thread-self/mountinfo") else { return [] }
        return String(decoding: content, as: UTF8.self).split(separator: "\n").compactMap(Mount.init(line:))
    }

    /// `36 35 98:0 /root /path options optional... - type source options`
    init?(line: Substring) {
        let fields = line.split(separator: " ")
        guard fields.count > 6, let separator = fields[6...].firstIndex(of: "-"), separator + 2 < fields.count else {
            return nil
        }
        path = Self.unescape(fields[4])
        type = String(fields[separator + 1])
        source = Self.unescape(fields[separator + 2])
    }

    /// The kernel writes blanks and backslashes in paths as three octal digits.
    private static func unescape(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
