internal import SlimNetlink
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// What there is of traffic control in the kernel.
struct LaidDown: Sendable {
    struct Port: Hashable {
        let interface: InterfaceIndex
        /// `nil`: of a router before this one.
        let limit: RateLimit?
    }

    /// ``TrafficPlan/device``; `nil` as long as nobody is limited.
    var device: InterfaceIndex?
    /// The classes of the device; `nil` for what a router before this one made.
    var classes: [QueueHandle: RateClass?] = [:]
    /// The devices whose packets are looked at, and by which program; `nil`: of a router before this one.
    var ways: [InterfaceIndex: PacketProgram?] = [:]
    /// The containers' ports that have a limit.
    var ports: [String: Port] = [:]
}

/// Makes queues, classes and filters, as far as they are not there.
final class TrafficKernel: Sendable {
    /// Filters of others have other priorities.
    private static let filterPriority: UInt16 = 0x534c
    /// In packets, of queues that have no limit of their own.
    private static let queueLength: UInt32 = 256

    private let routes: RouteSocket
    private let namespace: NetworkNamespace
    private let configuration: TrafficConfiguration

    /// Prepares to act in the calling thread's network namespace.
    init(_ configuration: TrafficConfiguration) throws(TrafficError) {
        self.configuration = configuration
        routes = try explaining { () throws(NetlinkError) in try RouteSocket() }
        do throws(Errno) { namespace = try NetworkNamespace.current() } catch {
            throw TrafficError(message: "rates: open the network namespace: \(error)")
        }
    }

    /// Looks at what a router before this one made.
    func find() throws(NetlinkError) -> LaidDown {
        var found = LaidDown()
        let links = try routes.links()
        let queues = try routes.queues()
        if let device = links.first(where: { $0.name == TrafficPlan.device && $0.kind == "ifb" }) {
            found.device = device.index
            for handle in try routes.classes(on: device.index) { found.classes[handle] = .some(nil) }
        }
        for queue in queues where queue.kind == "clsact" {
            guard try isWay(queue.interface) else { continue }
            found.ways[queue.interface] = .some(nil)
        }
        let bridge = links.first { $0.name == configuration.bridge }?.index
        for port in links where bridge != nil && port.master == bridge {
            guard queues.contains(where: { $0.interface == port.index && $0.isTokenBucket }) else { continue }
            found.ports[port.name] = LaidDown.Port(interface: port.index, limit: nil)
        }
        return found
    }

    private func isWay(_ interface: InterfaceIndex) throws(NetlinkError) -> Bool {
        try routes.filterPriorities(on: interface, at: .sending).contains(Self.filterPriority)
    }

    /// Whether all that was laid down is there, and all that packets leave by is looked at.
    func isWhole(_ laidDown: LaidDown, _ plan: TrafficPlan) throws(NetlinkError) -> Bool {
        let now = try find()
        guard now.device == laidDown.device, Set(now.classes.keys) == Set(laidDown.classes.keys),
            Set(now.ways.keys) == Set(laidDown.ways.keys),
            now.ports.mapValues(\.interface) == laidDown.ports.mapValues(\.interface)
        else { return false }
        if plan.senders.isEmpty { return true }
        return Set(laidDown.ways.keys) == (try leavingInterfaces())
    }

    // MARK: What containers send

    /// Makes the device and its classes, or changes them. Classes that nobody needs stay until ``lead(_:_:)``.
    func makeClasses(_ plan: TrafficPlan, _ laidDown: inout LaidDown) throws(NetlinkError) {
        if laidDown.device == nil {
            try routes.createFunctionalBlock(TrafficPlan.device, queueLength: Self.queueLength)
        }
        let device = try routes.index(of: TrafficPlan.device)
        if laidDown.device != device || laidDown.classes.isEmpty
            || laidDown.classes.values.contains(where: { $0 == nil })
        {
            try routes.setUp(device)
            try routes.createTokenBucket(on: device, TrafficClasses.queue, fallback: 0)
            try routes.replaceFilter(
                on: device, queue: TrafficClasses.queue, priority: Self.filterPriority,
                choosing: MarkPrograms.classOf)
            laidDown.device = device
        }
        let classes = plan.classes(link: try linkBytesPerSecond())
        for wanted in classes where laidDown.classes[wanted.handle] != wanted {
            try routes.replace(wanted, on: device)
            laidDown.classes[wanted.handle] = wanted
            guard let way = wanted.handle.way else { continue }
            let limit = TrafficClasses.queueLimit(way, wanted.ceilingBytesPerSecond)
            try routes.replaceQueue(on: device, parent: wanted.handle, limitBytes: limit)
        }
    }

    /// Leads packets of limited containers to their classes, and removes classes that nobody needs any more.
    func lead(_ plan: TrafficPlan, _ laidDown: inout LaidDown) throws(NetlinkError) {
        guard let device = laidDown.device else { return }
        let program = MarkPrograms.isOneOf(Set(plan.senders.keys), [.connection, .packet])
        let leaving = try leavingInterfaces()
        let isNew = !leaving.isSubset(of: laidDown.ways.keys)
        // The older kind of place has no room for filters of what is sent, and takes them nevertheless.
        let taken = isNew ? try routes.queues().filter { $0.kind == "ingress" }.map(\.interface) : []
        for interface in leaving where laidDown.ways[interface] != program {
            guard !taken.contains(interface) else {
                let name = try routes.links().first { $0.index == interface }?.name
                throw NetlinkError(operation: "look at packets of", object: name ?? "a device", errno: .fileExists)
            }
            try routes.createFilterPlace(on: interface)
            try routes.replaceFilter(
                on: interface, at: .sending, priority: Self.filterPriority, detour: device, for: program)
            laidDown.ways[interface] = program
        }
        for interface in laidDown.ways.keys where !leaving.contains(interface) {
            try removeFilter(on: interface)
            laidDown.ways[interface] = nil
        }
        let wanted = Set(plan.classes(link: nil).map(\.handle))
        // A class goes after those below it.
        for handle in laidDown.classes.keys.sorted(by: { $0.rawValue > $1.rawValue }) where !wanted.contains(handle) {
            try routes.delete(class: handle, on: device)
            laidDown.classes[handle] = nil
        }
    }

    /// Lets packets go their way again: first nobody is led to the device, then it goes.
    func remove(_ laidDown: inout LaidDown) throws(NetlinkError) {
        for interface in laidDown.ways.keys { try removeFilter(on: interface) }
        laidDown.ways = [:]
        if let device = laidDown.device { try routes.delete(device) }
        laidDown.device = nil
        laidDown.classes = [:]
    }

    /// A place for filters goes with the last one, whoever made it.
    private func removeFilter(on interface: InterfaceIndex) throws(NetlinkError) {
        try routes.deleteFilter(on: interface, at: .sending, priority: Self.filterPriority)
        let places = [QueueHandle.sending, .receiving]
        for place in places where try !routes.filterPriorities(on: interface, at: place).isEmpty { return }
        try routes.deleteFilterPlace(on: interface)
    }

    /// All that packets of containers leave by: what routes lead to, and what leads to other containers of this host.
    private func leavingInterfaces() throws(NetlinkError) -> Set<InterfaceIndex> {
        let links = try routes.links()
        let named = ["lo", configuration.bridge, configuration.vxlan]
        let routed = Set(try routes.routes().compactMap(\.interface))
        let owner = try routes.addresses().first { $0.address == configuration.underlay }?.interface
        return Set(
            links.filter { named.contains($0.name) || routed.contains($0.index) || $0.index == owner }.map(\.index))
    }

    /// What the device can send that this host reaches the others by.
    private func linkBytesPerSecond() throws(NetlinkError) -> UInt64? {
        guard let owner = try routes.addresses().first(where: { $0.address == configuration.underlay })?.interface,
            let link = try routes.links().first(where: { $0.index == owner })
        else { return nil }
        return LinkSpeed.read(link.name, in: namespace).map { $0 / 8 }
    }

    // MARK: What containers receive

    /// Gives the ports of containers that are limited a queue, and takes it from those that no longer are.
    func limitPorts(_ plan: TrafficPlan, _ laidDown: inout LaidDown) throws(NetlinkError) {
        for (name, limit) in plan.receivers.sorted(by: { $0.key < $1.key }) {
            // A container that is about to go has none.
            guard let port = try routes.link(named: name)?.index else { continue }
            let wanted = LaidDown.Port(interface: port, limit: limit)
            guard laidDown.ports[name] != wanted else { continue }
            let rate = TrafficClasses.bytesPerSecond(limit.ceiling)
            try routes.createTokenBucket(on: port, TrafficClasses.queue, fallback: TrafficClasses.all.minor)
            try routes.replace(
                RateClass(
                    TrafficClasses.all, parent: TrafficClasses.queue, bytesPerSecond: rate, ceilingBytesPerSecond: rate,
                    burstBytes: TrafficClasses.burst(limit)), on: port)
            try routes.replaceQueue(
                on: port, parent: TrafficClasses.all, limitBytes: TrafficClasses.queueLimit(.packet, rate))
            laidDown.ports[name] = wanted
        }
        for (name, port) in laidDown.ports where plan.receivers[name] == nil {
            if try routes.link(named: name)?.index == port.interface { try routes.deleteQueue(on: port.interface) }
            laidDown.ports[name] = nil
        }
    }
}

extension RouteSocket.Queue {
    /// Whether it is one that Slim makes.
    fileprivate var isTokenBucket: Bool { kind == "htb" && parent == .root && handle == TrafficClasses.queue }
}
