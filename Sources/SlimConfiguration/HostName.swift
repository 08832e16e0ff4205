/// What may be the name of a host: it is a DNS name in a certificate and the name of files.
package enum HostName {
    static let remedy = "write at most 63 lower-case letters, digits, '-' or '.', the first a letter or digit"

    package static func isValid(_ name: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return (1...63).contains(name.utf8.count)
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                guard let first = label.utf8.first, let last = label.utf8.last else { return false }
                return isAlphanumeric(first) && isAlphanumeric(last)
                    && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }
}
