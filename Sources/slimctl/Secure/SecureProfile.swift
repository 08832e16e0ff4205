internal import ArgumentParser
internal import SlimGuard
internal import SystemPackage

struct SecureProfile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Prints the seccomp profile that closes what the BPF guard leaves open.",
        discussion:
            "In the format of OCI runtimes: `linux.seccomp` of a container's configuration, or a file for "
            + "`--security-opt seccomp=`. It refuses calls of other architectures, 32-bit ones among them, and ioctls that "
            + "tell of network interfaces; merge it with the profile that the containers have.")

    @Flag(help: "The same as the kernel takes it, struct sock_filter after struct sock_filter.")
    var raw = false

    func run() throws {
        guard raw else { return Output.write(ContainerFilter.profile) }
        _ = try FileDescriptor.standardOutput.writeAll(ContainerFilter.program)
    }
}
