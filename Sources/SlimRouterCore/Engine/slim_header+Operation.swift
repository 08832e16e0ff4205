internal import CSlimABI

extension slim_header {
    init(_ operation: slim_operation, sequence: UInt32 = 0, flags: UInt32 = 0) {
        self.init(
            magic: UInt32(SLIM_ABI_MAGIC), version: UInt16(SLIM_ABI_VERSION), operation: UInt16(operation.rawValue),
            sequence: sequence, flags: flags)
    }
}
