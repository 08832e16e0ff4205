/// Connections that have not said who they are, oldest first: all have the same time to do so. A list of links, so that nothing
/// depends on how many there are.
struct ArrivalList {
    private(set) var count = 0
    private(set) var oldest: Arrival?
    private var newest: Arrival?

    var isEmpty: Bool { count == 0 }

    mutating func append(_ arrival: Arrival) {
        arrival.previous = newest
        newest?.next = arrival
        newest = arrival
        if oldest == nil { oldest = arrival }
        count += 1
    }

    /// Takes out one that is in the list.
    mutating func remove(_ arrival: Arrival) {
        if oldest === arrival { oldest = arrival.next }
        if newest === arrival { newest = arrival.previous }
        arrival.previous?.next = arrival.next
        arrival.next?.previous = arrival.previous
        arrival.previous = nil
        arrival.next = nil
        count -= 1
    }
}
