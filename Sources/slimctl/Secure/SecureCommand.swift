internal import ArgumentParser
internal import SlimGuard

struct SecureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secure",
        abstract: "Works with secure mode: host sockets that do no harm in hostile hands.",
        discussion:
            "With secure mode on, a container gets host sockets only while a guard (the kernel module slim, or BPF "
            + "programs) keeps it from doing anything with them but using its connections. Without a guard that works "
            + "the packet overlay carries all connections.",
        subcommands: [SecureEnable.self, SecureDisable.self, SecureStatus.self, SecureProfile.self])
}

extension GuardChoice: ExpressibleByArgument {}
