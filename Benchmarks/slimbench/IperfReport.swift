/// What is read of `iperf3 -J`.
struct IperfReport: Decodable {
    struct End: Decodable {
        let received: Sum

        enum CodingKeys: String, CodingKey { case received = "sum_received" }
    }

    struct Sum: Decodable {
        let bytes: Double
        let bitsPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case bytes
            case bitsPerSecond = "bits_per_second"
        }
    }

    let end: End
}
