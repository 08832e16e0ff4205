/// What is measured.
enum Metric: String, CaseIterable {
    case throughput = "iperf3_1_stream"
    case throughputCPU = "iperf3_1_stream_cpu"
    case fourStreams = "iperf3_4_streams"
    case fourStreamsCPU = "iperf3_4_streams_cpu"
    case roundTrip = "tcp_1_byte_round_trip_p50"
    case roundTripTail = "tcp_1_byte_round_trip_p99"
    case joinedRoundTrip = "tcp_1_byte_round_trip_joined_p50"
    case roundTrip32 = "tcp_32_byte_round_trip_p50"
    case roundTrip32Tail = "tcp_32_byte_round_trip_p99"
    case freeRoundTrip = "tcp_1_byte_round_trip_unpinned_p50"
    case freeRoundTripTail = "tcp_1_byte_round_trip_unpinned_p99"
    case freeRoundTrip32 = "tcp_32_byte_round_trip_unpinned_p50"
    case freeRoundTrip32Tail = "tcp_32_byte_round_trip_unpinned_p99"
    case connect = "connect_p50"
    case connectEcho = "connect_echo_p50"
    case connectFirst = "connect_first_p50"
    case connectFirstOfHost = "connect_first_of_host_p50"
    case pinnedConnect = "connect_pinned_p50"
    case pinnedConnectEcho = "connect_echo_pinned_p50"
    case pinnedConnectFirst = "connect_first_pinned_p50"
    case pinnedConnectFirstOfHost = "connect_first_of_host_pinned_p50"
    case exec = "exec_p50"
    case nginxKeepAlive = "nginx_keep_alive"
    case nginxConnections = "nginx_connection_per_request"
    case redisGet = "redis_get"
    case redisSet = "redis_set"
    case redisConnections = "redis_connection_per_request"
    case memcached = "memcached"
    case memcachedLatency = "memcached_p50"
    case memcachedTail = "memcached_p99"
    case pgbench = "pgbench_read_only"
    case pgbenchConnections = "pgbench_connection_per_transaction"
    case nginxCPU = "nginx_cpu_at_fixed_rate"
    case memcachedCPU = "memcached_cpu_at_fixed_rate"
    case postgresCPU = "postgres_cpu_at_fixed_rate"
    case programDescriptors = "descriptors_per_connection_program"
    case routerDescriptors = "descriptors_per_connection_router"
    case routerIdle = "router_memory_idle"
    case routerPerConnection = "router_memory_per_connection"
    case programDescriptorGrowth = "descriptors_left_by_10000_set_ups_program"
    case programMemoryGrowth = "memory_left_by_10000_set_ups_program"
    case routerDescriptorGrowth = "descriptors_left_by_10000_set_ups_router"
    case routerMemoryGrowth = "memory_left_by_10000_set_ups_router"
    case vxlanShare = "vxlan_bytes_per_byte"

    var title: String {
        switch self {
        case .throughput: "iperf3, 1 stream"
        case .throughputCPU: "iperf3, 1 stream: CPU"
        case .fourStreams: "iperf3, 4 streams"
        case .fourStreamsCPU: "iperf3, 4 streams: CPU"
        case .roundTrip: "TCP 1-byte round trip, one core, p50"
        case .roundTripTail: "TCP 1-byte round trip, one core, p99"
        case .joinedRoundTrip: "TCP 1-byte round trip, one core, Slim joined, p50"
        case .roundTrip32: "TCP 32-byte round trip, one core, p50"
        case .roundTrip32Tail: "TCP 32-byte round trip, one core, p99"
        case .freeRoundTrip: "TCP 1-byte round trip, not pinned, p50"
        case .freeRoundTripTail: "TCP 1-byte round trip, not pinned, p99"
        case .freeRoundTrip32: "TCP 32-byte round trip, not pinned, p50"
        case .freeRoundTrip32Tail: "TCP 32-byte round trip, not pinned, p99"
        case .connect: "connect(), p50"
        case .connectEcho: "connect + 1-byte echo, p50"
        case .connectFirst: "connect(), first time of a program, p50"
        case .connectFirstOfHost: "connect(), first time of the host, p50"
        case .pinnedConnect: "connect(), one core, p50"
        case .pinnedConnectEcho: "connect + 1-byte echo, one core, p50"
        case .pinnedConnectFirst: "connect(), first time of a program, one core, p50"
        case .pinnedConnectFirstOfHost: "connect(), first time of the host, one core, p50"
        case .exec: "exec of a small program, p50"
        case .nginxKeepAlive: "nginx, keep-alive"
        case .nginxConnections: "nginx, a connection per request"
        case .redisGet: "redis GET, 8 clients"
        case .redisSet: "redis SET, 8 clients"
        case .redisConnections: "redis GET, a connection per request"
        case .memcached: "memcached, 8 connections"
        case .memcachedLatency: "memcached, 8 connections, p50"
        case .memcachedTail: "memcached, 8 connections, p99"
        case .pgbench: "PostgreSQL, pgbench -S, 8 clients"
        case .pgbenchConnections: "PostgreSQL, pgbench -S -C"
        case .nginxCPU: "nginx at a fixed rate: CPU"
        case .memcachedCPU: "memcached at a fixed rate: CPU"
        case .postgresCPU: "PostgreSQL at a fixed rate: CPU"
        case .programDescriptors: "descriptors per connection, program"
        case .routerDescriptors: "descriptors per connection, router"
        case .routerIdle: "router memory, idle"
        case .routerPerConnection: "router memory per connection"
        case .programDescriptorGrowth: "10,000 set-ups: descriptors left, program"
        case .programMemoryGrowth: "10,000 set-ups: memory left, program"
        case .routerDescriptorGrowth: "10,000 set-ups: descriptors left, router"
        case .routerMemoryGrowth: "10,000 set-ups: memory left, router"
        case .vxlanShare: "bytes over VXLAN per byte of iperf3"
        }
    }

    var unit: String {
        switch self {
        case .throughput, .fourStreams: "Gbit/s"
        case .throughputCPU, .fourStreamsCPU: "CPU s/GB"
        case .nginxKeepAlive, .nginxConnections, .redisGet, .redisSet, .redisConnections, .memcached: "requests/s"
        case .pgbench, .pgbenchConnections: "transactions/s"
        case .nginxCPU, .memcachedCPU, .postgresCPU: "CPU us/request"
        case .programDescriptors, .routerDescriptors, .programDescriptorGrowth, .routerDescriptorGrowth: "descriptors"
        case .routerIdle: "MB"
        case .programMemoryGrowth, .routerMemoryGrowth: "KB"
        case .routerPerConnection, .vxlanShare: "bytes"
        default: "us"
        }
    }

    var isHigherBetter: Bool { ["Gbit/s", "requests/s", "transactions/s"].contains(unit) }

    /// Decimals that mean something.
    var decimals: Int {
        switch unit {
        case "Gbit/s", "descriptors": 2
        case "CPU s/GB": 3
        case "us", "MB", "CPU us/request": 1
        default: self == .vxlanShare ? 2 : 0
        }
    }
}
