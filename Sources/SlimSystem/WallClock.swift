internal import CSlimSystem
internal import Glibc

/// Seconds since the epoch. The corresponding C function is `time`.
package func wallClockSeconds() -> UInt64 { UInt64(max(0, time(nil))) }

/// Milliseconds of a clock that nobody sets, the same in every process. The corresponding C function is `clock_gettime`.
package func monotonicMilliseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
}
