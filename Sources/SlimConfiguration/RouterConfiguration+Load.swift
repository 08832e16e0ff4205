internal import FoundationEssentials
package import SlimJSON
internal import SlimRegistry

extension RouterConfiguration {
    /// Reads and checks a file: syntax, keys, types, values, and whether they agree with each other.
    package static func load(_ path: String) throws(ConfigurationError) -> RouterConfiguration {
        let value = try ConfigurationFile.read(path)
        let configuration = try RouterConfiguration(value)
        try configuration.checkAgreement(file: path)
        return configuration
    }

    /// Writes the file in whole or not at all, every key in it.
    package func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var text = try encoder.encode(self)
        text.append(0x0a)
        try text.write(to: URL(filePath: path), options: .atomic)
    }

    /// What no value alone can break: who owns what, and who is who.
    private func checkAgreement(file: String) throws(ConfigurationError) {
        func error(_ path: String, _ problem: String, _ remedy: String) -> ConfigurationError {
            ConfigurationError(file: file, place: .path(path), problem: problem, remedy: remedy)
        }
        for (index, subnet) in overlay.subnets.enumerated() {
            if let problem = overlay.problem(ofSubnet: subnet) {
                throw error("overlay.subnets[\(index)]", problem.problem, problem.remedy)
            }
        }
        if let prefix = overlay.prefixes.first(where: { $0.contains(underlay.address) }) {
            throw error(
                "underlay.address", "\(underlay.address) lies in the overlay's prefix \(prefix)",
                "choose another overlay.prefixes")
        }
        var hosts = HostTable(configuration: self)
        for (index, peer) in peers.enumerated() {
            if let conflict = hosts.add(peer) {
                throw error("peers[\(index)]\(conflict.path)", conflict.problem, conflict.remedy)
            }
        }
    }
}

extension OverlaySettings {
    /// Why a host may not own a subnet; `nil` when it may.
    func problem(ofSubnet subnet: Subnet) -> (problem: String, remedy: String)? {
        let fits = prefixes.contains { $0.contains(subnet.address) && $0.length <= subnet.length }
        if fits { return nil }
        let all = prefixes.map(\.description).joined(separator: ", ")
        return ("\(subnet) lies outside the overlay's prefixes \(all)", "choose one within, or set overlay.prefixes")
    }
}
