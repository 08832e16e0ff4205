internal import FoundationEssentials

/// A path as the router sees it: it runs elsewhere.
func absolutePath(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}
