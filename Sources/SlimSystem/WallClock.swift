internal import Glibc

/// Seconds since the epoch. The corresponding C function is `time`.
package func wallClockSeconds() -> UInt64 { UInt64(max(0, time(nil))) }
