package import SystemPackage

extension Errno {
    /// `ENODEV`, by the name that netlink gives it a meaning with: there is no such network interface.
    package static var noSuchDevice: Errno { .operationNotSupportedByDevice }
}
