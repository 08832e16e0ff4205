internal import CSlimGuard
internal import FoundationEssentials
internal import SlimSystem
internal import SystemPackage

/// Loads `slim.ko`.
enum KernelModule {
    /// Opens `/dev/slim`, loading the module first when it is not loaded.
    static func device() throws(GuardError) -> OwnedDescriptor {
        do throws(Errno) { return try openExisting(SLIM_GUARD_DEVICE) } catch {
            guard
                error == .noSuchFileOrDirectory || error == .noSuchAddressOrDevice
                    || error == .operationNotSupportedByDevice
            else {
                throw GuardError(.machine, "\(SLIM_GUARD_DEVICE) cannot be opened; run slimrouter as root", error)
            }
        }
        try load()
        for _ in 0..<100 {
            if let device = try? openExisting(SLIM_GUARD_DEVICE) { return device }
            pause(.milliseconds(20))
        }
        throw GuardError(
            .machine, "the module slim is loaded but \(SLIM_GUARD_DEVICE) does not appear; is devtmpfs mounted on /dev?"
        )
    }

    private static func load() throws(GuardError) {
        guard FileManager.default.fileExists(atPath: "/proc/modules") else {
            throw GuardError(.machine, "this kernel has no support for modules; use --guard bpf")
        }
        let file = try installedFile()
        do throws(Errno) {
            let descriptor = try openExisting(file, writable: false)
            try systemCall { slim_load_module(descriptor.raw) }
        } catch {
            if error == .fileExists { return }
            throw GuardError(.machine, "\(file) cannot be loaded: \(advice(error))", error)
        }
    }

    /// Where DKMS, and `make install` of the module, put it.
    private static func installedFile() throws(GuardError) -> String {
        let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
        let folder = "/lib/modules/" + String(release.prefix { $0 != "\n" })
        for place in ["updates/dkms", "updates", "extra"] {
            for name in ["slim.ko", "slim.ko.xz", "slim.ko.zst", "slim.ko.gz"] {
                let path = "\(folder)/\(place)/\(name)"
                guard FileManager.default.fileExists(atPath: path) else { continue }
                guard name == "slim.ko" else {
                    throw GuardError(.machine, "\(path) is compressed; load it with `modprobe slim` and try again")
                }
                return path
            }
        }
        throw GuardError(
            .missingFile,
            "there is no slim.ko for this kernel in \(folder)/updates or extra; install it with DKMS (see kmod/), or use --guard bpf"
        )
    }

    private static func advice(_ code: Errno) -> String {
        switch code {
        case .notPermitted:
            "loading modules is not allowed (not root, kernel.modules_disabled, or lockdown without a signature)"
        case .noSuchFileOrDirectory, .invalidArgument, .execFormatError:
            "it was built for another kernel; build it again with DKMS"
        case .noFunction: "this kernel has no support for modules; use --guard bpf"
        case .permissionDenied: "its signature is not one that this kernel trusts (secure boot)"
        default: "see dmesg"
        }
    }
}
