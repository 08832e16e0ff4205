/// Takes an input apart. What is not there any more is 0.
struct InputReader {
    private var rest: UnsafeRawBufferPointer

    init(_ input: UnsafeRawBufferPointer) { rest = input }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 {
        guard let first = rest.first else { return 0 }
        rest = .init(rebasing: rest.dropFirst())
        return first
    }

    /// Big-endian.
    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type = Value.self) -> Value {
        var value: Value = 0
        for _ in 0..<MemoryLayout<Value>.size { value = value << 8 | Value(byte()) }
        return value
    }

    /// As many as there are, at most.
    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        let taken = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
        rest = .init(rebasing: rest.dropFirst(count))
        return taken
    }

    mutating func remaining() -> UnsafeRawBufferPointer { bytes(rest.count) }
}

/// Writes what ``InputReader`` reads.
struct InputWriter {
    private(set) var bytes: [UInt8] = []

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    mutating func append(_ more: some Sequence<UInt8>) { bytes += more }
}
