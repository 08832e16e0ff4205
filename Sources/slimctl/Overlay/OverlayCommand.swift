internal import ArgumentParser

struct OverlayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overlay", abstract: "Works with the packet overlay of this host.", subcommands: [OverlayDown.self]
    )
}
