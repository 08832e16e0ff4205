/// What happened since the router started, by the names that `slimctl status` shows.
struct Counters {
    var connectsHandedOver: UInt64 = 0
    /// Of those, the ones that no program had to wait for.
    var connectsPrepared: UInt64 = 0
    var connectsByOverlay: UInt64 = 0
    var connectsRefused: UInt64 = 0
    var connectsDenied: UInt64 = 0
    var arrivalsDenied: UInt64 = 0
    var connectionsCut: UInt64 = 0
    var accepted: UInt64 = 0
    /// Of those, the ones whose ends are joined; and those that were to be, and are not.
    var joined: UInt64 = 0
    var joinsRefused: UInt64 = 0
    var acceptedPlain: UInt64 = 0
    var preamblesRejected: UInt64 = 0
    /// Host sockets that the guard did not take.
    var tagsRefused: UInt64 = 0
    var requestsRejected: UInt64 = 0
    /// How often the kernel's word on ends of connections was lost, so that its sockets had to be listed.
    var endsLost: UInt64 = 0
}
