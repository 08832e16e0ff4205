/// Numbers with a unit: `100mbit`, `1.5gbit`, `256kib`.
enum Quantity {
    /// Rates count in thousands, as `tc` has it; ascending.
    static let rateUnits: [(name: String, factor: UInt64)] = [
        ("bit", 1), ("kbit", 1000), ("mbit", 1_000_000), ("gbit", 1_000_000_000),
    ]
    static let sizeUnits: [(name: String, factor: UInt64)] = [
        ("b", 1), ("kb", 1000), ("kib", 1 << 10), ("mb", 1_000_000), ("mib", 1 << 20),
    ]

    /// - Returns: `nil` when the text is no number with one of the units, or the value no integer.
    static func parse(_ text: String, units: [(name: String, factor: UInt64)]) -> UInt64? {
        let bytes = Array(text.utf8)
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        let whole = bytes.prefix(while: isDigit)
        var rest = bytes[whole.endIndex...]
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            rest = rest[fraction.endIndex...]
        }
        let unit = String(decoding: rest, as: UTF8.self)
        // Never more digits than 64 bits hold.
        guard (1...12).contains(whole.count), fraction.count <= 6,
            let factor = units.first(where: { $0.name == unit })?.factor
        else { return nil }
        let digits = (whole + fraction).reduce(UInt64(0)) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
        let scale = fraction.reduce(UInt64(1)) { scale, _ in scale * 10 }
        let (product, overflow) = digits.multipliedReportingOverflow(by: factor)
        return overflow || !product.isMultiple(of: scale) ? nil : product / scale
    }
}
