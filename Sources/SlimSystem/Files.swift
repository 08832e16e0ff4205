internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// Opens a file for writing, made when missing, close-on-exec. The corresponding C function is `open`.
package func openForWriting(_ path: String, mode: UInt32) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(try systemCall { slim_create(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(mode)) })
}

/// Sends one datagram to a Unix socket (`@abstract` or a path); nobody there is no error.
package func sendDatagram(_ text: String, to name: String) {
    guard let raw = try? systemCall({ socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) }) else { return }
    let descriptor = OwnedDescriptor(raw)
    try? LocalSocket.withAddress(name) { address, length throws(Errno) in
        let bytes = Array(text.utf8)
        try systemCall { sendto(descriptor.raw, bytes, bytes.count, CInt(MSG_NOSIGNAL), address, length) }
    }
}
