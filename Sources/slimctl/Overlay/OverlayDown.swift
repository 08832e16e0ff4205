internal import ArgumentParser
internal import SlimConfiguration
internal import SlimOverlay
internal import SlimPacketFilter
internal import SlimTraffic

struct OverlayDown: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Removes the packet overlay: bridge, VXLAN device, containers' links, routes, packet filter, rates.",
        discussion: "Works without a router; stop it first, for it makes the overlay when it starts.")

    @Option(help: "The router's configuration.", completion: .file(extensions: ["json"])) var config =
        RouterConfiguration.defaultPath

    func run() async throws {
        let configuration = try RouterConfiguration.load(config)
        let overlay = configuration.overlay
        try Overlay.remove(
            OverlayConfiguration(
                underlay: configuration.underlay.address, subnets: overlay.subnets, prefixes: overlay.prefixes,
                bridge: overlay.bridge, vxlan: overlay.vxlan, vxlanID: overlay.vxlanID, vxlanPort: overlay.vxlanPort,
                mtu: overlay.mtu))
        try TrafficControl(
            TrafficConfiguration(underlay: configuration.underlay.address, bridge: overlay.bridge, vxlan: overlay.vxlan)
        ).remove()
        // Last: as long as a container can send, the policy holds.
        try PacketFilter().remove()
    }
}
