/// The version of Slim: what `--version` prints and what routers tell each other.
package enum SlimVersion {
    package static let current = "0.1.0"
}
