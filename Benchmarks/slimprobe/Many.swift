import Glibc

/// The verbs that connect to many destinations, once to each.
enum Many {
    /// `connect()` to each of `--ports` ports: to none of them has the program connected before.
    static func first(_ options: Options) throws(ProbeError) {
        guard let host = options.positional.first, let port = options.positional.last.flatMap({ UInt16($0) }),
            options.positional.count == 2
        else { throw .usage("connect-first wants HOST PORT") }
        var targets: [Target] = []
        for number in 0..<options.ports { targets.append(try Target(host, "\(Int(port) + number)", options.family)) }
        var samples = Samples(capacity: targets.count)
        var byte: UInt8 = 0x78
        for (number, target) in targets.enumerated() {
            let (descriptor, nanoseconds) = try target.connect()
            defer { close(descriptor) }
            try withUnsafeMutableBytes(of: &byte) { (buffer) throws(ProbeError) in try exchange(descriptor, buffer) }
            // What a program does once, with its first connect of all, is left out.
            if number > 0 { samples.append(nanoseconds) }
        }
        print(samples.json())
    }

    /// `PORT HOST...`: a connection to each host, and `--count` messages of `--bytes` bytes there and back on each, in turn,
    /// all compared.
    static func meet(_ options: Options) throws(ProbeError) {
        guard let port = options.positional.first, options.positional.count > 1 else {
            throw .usage("meet wants PORT HOST...")
        }
        let message = UnsafeMutableRawBufferPointer.allocate(byteCount: options.bytes, alignment: 16)
        defer { message.deallocate() }
        var descriptors: [Int32] = []
        for host in options.positional.dropFirst() {
            descriptors.append(try Target(host, port, options.family).connect().descriptor)
        }
        for round in 0..<options.count {
            for (number, descriptor) in descriptors.enumerated() {
                let sent = { (index: Int) in UInt8(truncatingIfNeeded: index &* 31 &+ number &* 7 &+ round) }
                for index in message.indices { message[index] = sent(index) }
                try exchange(descriptor, message)
                guard message.indices.allSatisfy({ message[$0] == sent($0) }) else {
                    throw ProbeError(
                        message: "\(options.positional[number + 1]): other bytes than were sent", exitCode: 1)
                }
            }
        }
        print(descriptors.count)
    }
}
