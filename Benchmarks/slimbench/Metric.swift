/// What is measured.
enum Metric: String, CaseIterable {
    case throughput = "iperf3_1_stream"
    case roundTrip = "tcp_1_byte_round_trip_p50"
    case connect = "connect_p50"
    case connectEcho = "connect_echo_p50"
    case exec = "exec_p50"
    case programDescriptors = "descriptors_per_connection_program"
    case routerDescriptors = "descriptors_per_connection_router"
    case routerIdle = "router_memory_idle"
    case routerPerConnection = "router_memory_per_connection"
    case vxlanShare = "vxlan_bytes_per_byte"
    case nginxKeepAlive = "nginx_keep_alive"
    case nginxConnections = "nginx_connection_per_request"
    case redis = "redis_get"

    var title: String {
        switch self {
        case .throughput: "iperf3 -4, 1 stream"
        case .roundTrip: "TCP 1-byte round trip, one core, p50"
        case .connect: "connect(), p50"
        case .connectEcho: "connect + 1-byte echo, p50"
        case .exec: "exec of a small program, p50"
        case .programDescriptors: "descriptors per connection, program"
        case .routerDescriptors: "descriptors per connection, router"
        case .routerIdle: "router memory, idle"
        case .routerPerConnection: "router memory per connection"
        case .vxlanShare: "bytes over VXLAN per byte of iperf3"
        case .nginxKeepAlive: "nginx, keep-alive"
        case .nginxConnections: "nginx, a connection per request"
        case .redis: "redis GET, 16 clients"
        }
    }

    var unit: String {
        switch self {
        case .throughput: "Gbit/s"
        case .roundTrip, .connect, .connectEcho, .exec: "us"
        case .programDescriptors, .routerDescriptors: "descriptors"
        case .routerIdle: "MB"
        case .routerPerConnection: "bytes"
        case .vxlanShare: "bytes"
        case .nginxKeepAlive, .nginxConnections, .redis: "requests/s"
        }
    }

    var isHigherBetter: Bool {
        switch self {
        case .throughput, .nginxKeepAlive, .nginxConnections, .redis: true
        default: false
        }
    }

    /// Decimals that mean something.
    var decimals: Int {
        switch self {
        case .throughput, .programDescriptors, .routerDescriptors, .vxlanShare: 2
        case .roundTrip, .connect, .connectEcho, .exec, .routerIdle: 1
        case .routerPerConnection, .nginxKeepAlive, .nginxConnections, .redis: 0
        }
    }
}
