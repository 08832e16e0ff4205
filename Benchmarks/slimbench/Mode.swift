/// The three networks that are compared.
enum Mode: String, CaseIterable {
    case host, overlay, slim
}
