internal import Glibc
internal import Logging

/// How many descriptors the router may have: containers' listeners and programs take one or two each.
enum DescriptorLimit {
    /// Raises the limit as far as this process may. The corresponding C function is `setrlimit` with `RLIMIT_NOFILE`.
    static func raise(logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 else { return }
        logger.warning(
            "the limit of open descriptors cannot be raised: many programs at once may be left to the packet overlay")
    }
}
