import Glibc

/// Many connections one after the other, and what they leave behind in the process that makes them.
enum Churn {
    static func run(_ options: Options) throws(ProbeError) {
        let target = try Target(options)
        // What is needed once is there after the first ones.
        try repeatedly(min(1000, options.count), target)
        let before = (descriptors: descriptorCount(), kilobytes: try residentKilobytes())
        try repeatedly(options.count, target)
        let descriptors = descriptorCount() - before.descriptors
        let kilobytes = try residentKilobytes() - before.kilobytes
        print("{\"count\": \(options.count), \"descriptors\": \(descriptors), \"kilobytes\": \(kilobytes)}")
    }

    private static func repeatedly(_ count: Int, _ target: Target) throws(ProbeError) {
        var byte: UInt8 = 0x78
        for _ in 0..<count {
            let descriptor = try target.connect().descriptor
            defer { close(descriptor) }
            try withUnsafeMutableBytes(of: &byte) { (buffer) throws(ProbeError) in try exchange(descriptor, buffer) }
        }
    }

    private static func descriptorCount() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    private static func residentKilobytes() throws(ProbeError) -> Int {
        let descriptor = try check("open /proc/self/statm") { open("/proc/self/statm", O_RDONLY) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = try check("read /proc/self/statm") { read(descriptor, &buffer, buffer.count) }
        let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1024
    }
}
