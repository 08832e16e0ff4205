internal import FoundationEssentials
internal import SlimJSON
internal import SlimPKI
internal import SlimRegistry

/// The directory of `HOST.json` files, as last read.
///
/// A bad file is reported and ignored: what it said when it was last good stands, and so do the others.
struct PeerDirectory {
    private static let mostFiles = 4096

    let path: String
    private var lastGood: [String: (peer: Peer, record: HostRecord)] = [:]

    init(_ path: String) { self.path = path }

    /// Reads all files again.
    ///
    /// - Parameter table: the hosts that stand already; those of the directory must agree with them.
    /// - Returns: the hosts of the directory, and what is wrong, a line per file.
    mutating func read(besides table: HostTable) -> (hosts: [HostRecord], problems: [String]) {
        var (table, hosts, problems) = (table, [HostRecord](), [String]())
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted()
        } catch {
            lastGood = [:]
            return ([], ["\(path): cannot be read; create the directory, or remove \"peersDirectory\""])
        }
        if names.count > Self.mostFiles {
            problems.append("\(path): holds more than \(Self.mostFiles) files; the rest is ignored")
        }
        let present = names.prefix(Self.mostFiles)
        lastGood = lastGood.filter { present.contains($0.key) }
        for name in present {
            do throws(ConfigurationError) {
                lastGood[name] = try Self.read("\(path)/\(name)", name: String(name.dropLast(".json".utf8.count)))
            } catch {
                problems.append(lastGood[name] == nil ? "\(error)" : "\(error) (what it said before stands)")
            }
            guard let good = lastGood[name] else { continue }
            if let conflict = table.add(good.peer) {
                problems.append(
                    "\(path)/\(name): \(conflict.path.dropFirst()): \(conflict.problem); \(conflict.remedy)")
            } else {
                hosts.append(good.record)
            }
        }
        return (hosts, problems)
    }

    private static func read(
        _ file: String, name: String
    ) throws(ConfigurationError) -> (peer: Peer, record: HostRecord) {
        let peer = try Peer(try ConfigurationFile.read(file))
        guard peer.name == name else {
            throw ConfigurationError(
                file: file, place: .path("name"), problem: "\(quoted(peer.name)) is not the name of the file",
                remedy: "call the file \(peer.name).json")
        }
        return (peer, try peer.record(file: file, path: ""))
    }
}

extension Peer {
    /// What the registry knows of the peer; reads the certificate that it is pinned to.
    ///
    /// - Parameters file, path: named in errors.
    func record(file: String, path: String) throws(ConfigurationError) -> HostRecord {
        var fingerprint: String?
        if let certificate {
            do throws(PKIError) { fingerprint = try PKI.fingerprint(certificate) } catch {
                throw ConfigurationError(
                    file: file, place: .path(path.isEmpty ? "certificate" : "\(path).certificate"), problem: "\(error)",
                    remedy: "copy the certificate of \(name) there, or remove the key")
            }
        }
        return HostRecord(name: name, underlay: address, subnets: subnets, certificateFingerprint: fingerprint)
    }
}
