internal import FoundationEssentials
internal import Glibc
internal import SlimSystem
internal import SystemPackage

/// `/run/slim`, or what the configuration names: made when missing, and this router's alone while it runs.
struct RuntimeDirectory: ~Copyable {
    let path: String
    /// Held by the one router that runs here.
    let lock: OwnedDescriptor

    init(_ path: String) throws(RouterError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch { throw RouterError("\(path): cannot be made: \(error); check `directory` in router.json") }
        let descriptor: OwnedDescriptor
        do throws(Errno) { descriptor = try openForWriting("\(path)/lock", mode: 0o600) } catch {
            throw RouterError(
                "\(path)/lock: \(error); run slimrouter as root, or choose another `directory` in router.json")
        }
        guard flock(descriptor.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw RouterError(
                "\(path): another slimrouter runs here; stop it first, or choose another `directory` in router.json")
        }
        self.path = path
        lock = descriptor
    }
}
