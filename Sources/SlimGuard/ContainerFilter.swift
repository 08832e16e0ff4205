internal import CSlimGuard
internal import FoundationEssentials

/// The seccomp filter for containers: what reaches past the BPF guard's programs.
///
/// - System calls of another architecture: the kernel runs no program for options that a 32-bit call sets.
/// - `ioctl` on the socket layer: it tells of the interfaces, addresses and hardware addresses of the namespace that the
///   socket is of, and gives a handle on it. What tells of the connection itself (SIOCINQ, SIOCOUTQ, SIOCATMARK, owners) stays.
package enum ContainerFilter {
    /// Numbers of ioctls under a mask: refused.
    private static let refusedControls: [(mask: UInt32, value: UInt32)] = [
        (0xffff_fff0, 0x8910), (0xffff_fff0, 0x8920), (0xffff_fff0, 0x8930),
        // 0x894b, SIOCOUTQNSD, tells what of the connection's own data was not sent yet.
        (0xffff_fff8, 0x8940), (0xffff_fffe, 0x8948), (0xffff_ffff, 0x894a), (0xffff_fffc, 0x894c),
        (0xffff_fff0, 0x8950), (0xffff_fff0, 0x8960), (0xffff_fff0, 0x8970), (0xffff_ff80, 0x8980),
    ]

    private static let notPermitted: UInt32 = 1
    private static let noSystemCall: UInt32 = 38

    /// As OCI runtimes read it. They end a process that makes calls of an architecture that is not listed.
    package static var profile: String {
        let rules = refusedControls.map { control in
            """
                {"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": \(notPermitted),
                 "args": [{"index": 1, "value": \(control.mask), "valueTwo": \(control.value), "op": "SCMP_CMP_MASKED_EQ"}]}
            """
        }
        return """
            {
              "defaultAction": "SCMP_ACT_ALLOW",
              "architectures": ["\(slim_seccomp_architecture_name().map { String(cString: $0) } ?? "")"],
              "syscalls": [
            \(rules.joined(separator: ",\n"))
              ]
            }

            """
    }

    /// As the kernel reads it: pairs of a classic BPF program, eight bytes each. Calls of another architecture do not exist.
    package static var program: [UInt8] {
        var code = FilterProgram()
        code.load(offset: 4)
        code.unless(equals: slim_native_architecture(), return: slim_seccomp_refuse(noSystemCall))
        code.load(offset: 0)
        // x32: the calls of 64 bits with 32-bit pointers.
        code.when(atLeast: 0x4000_0000, return: slim_seccomp_refuse(noSystemCall))
        code.unless(equals: slim_ioctl_number(), return: slim_seccomp_allow())
        for control in refusedControls {
            // The kernel looks at the lower half of the second argument only.
            code.load(offset: slim_seccomp_argument(1))
            code.and(control.mask)
            code.when(equals: control.value, return: slim_seccomp_refuse(notPermitted))
        }
        code.finish(slim_seccomp_allow())
        return code.bytes
    }
}

/// Builds a classic BPF program for seccomp.
private struct FilterProgram {
    private var instructions: [sock_filter] = []

    var bytes: [UInt8] { instructions.withUnsafeBytes { Array($0) } }

    mutating func load(offset: UInt32) { add(BPF_LD | BPF_W | BPF_ABS, offset) }
    mutating func and(_ mask: UInt32) { add(BPF_ALU | BPF_AND | BPF_K, mask) }
    mutating func finish(_ action: UInt32) { add(BPF_RET | BPF_K, action) }

    mutating func when(equals value: UInt32, return action: UInt32) {
        add(BPF_JMP | BPF_JEQ | BPF_K, value, ifTrue: 0, ifFalse: 1)
        finish(action)
    }

    mutating func when(atLeast value: UInt32, return action: UInt32) {
        add(BPF_JMP | BPF_JGE | BPF_K, value, ifTrue: 0, ifFalse: 1)
        finish(action)
    }

    mutating func unless(equals value: UInt32, return action: UInt32) {
        add(BPF_JMP | BPF_JEQ | BPF_K, value, ifTrue: 1, ifFalse: 0)
        finish(action)
    }

    private mutating func add(_ code: CInt, _ value: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0) {
        instructions.append(sock_filter(code: UInt16(code), jt: ifTrue, jf: ifFalse, k: value))
    }
}
