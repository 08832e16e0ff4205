/// The three networks that are compared.
enum Mode: String, CaseIterable {
    case host, overlay, slim

    /// Where the client runs. Slim and the plain overlay have containers of their own.
    var client: String {
        switch self {
        case .host: "h1"
        case .overlay: "h1c2"
        case .slim: "h1c1"
        }
    }

    var server: String {
        switch self {
        case .host: "h2"
        case .overlay: "h2c2"
        case .slim: "h2c1"
        }
    }
}
