/// Where client and server are. Slim and the plain overlay have containers of their own.
enum Placement: String, CaseIterable {
    case twoHosts = "two_hosts"
    case oneHost = "one_host"

    /// On each host of a lab for both placements.
    static let containers = 4

    var title: String {
        switch self {
        case .twoHosts: "two hosts"
        case .oneHost: "one host"
        }
    }

    /// Where the client runs.
    func client(_ mode: Mode) -> String {
        switch mode {
        case .host: "h1"
        case .overlay: "h1c2"
        case .slim: "h1c1"
        }
    }

    func server(_ mode: Mode) -> String {
        switch (self, mode) {
        case (.twoHosts, .host): "h2"
        case (.twoHosts, .overlay): "h2c2"
        case (.twoHosts, .slim): "h2c1"
        case (.oneHost, .host): "h1"
        case (.oneHost, .overlay): "h1c4"
        case (.oneHost, .slim): "h1c3"
        }
    }
}
