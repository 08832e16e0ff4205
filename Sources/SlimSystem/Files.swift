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

/// Opens a directory, close-on-exec, to name it to system calls. The corresponding C function is `open`.
package func openDirectory(_ path: String) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(try systemCall { slim_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
}

/// Opens a device, or a file that is there, close-on-exec. The corresponding C function is `open`.
package func openExisting(_ path: String, writable: Bool = true) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(try systemCall { slim_open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC) })
}

/// The number of what a path leads to. The corresponding C function is `stat`.
package func inodeNumber(of path: String) throws(Errno) -> UInt64 {
    var information = stat()
    try systemCall { stat(path, &information) }
    return UInt64(information.st_ino)
}

/// Gives a file another name. The corresponding C function is `rename`.
package func moveFile(_ path: String, to other: String) throws(Errno) { try systemCall { rename(path, other) } }
