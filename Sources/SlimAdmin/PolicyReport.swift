/// The policy in force: `GET /v1/policy`.
package struct PolicyReport: Codable, Equatable, Sendable {
    /// Where it came from; absent when there is none.
    package var file: String?
    /// Seconds since the epoch, when it came into force.
    package var since: UInt64
    package var rules: Int
    /// The policy as its file would say it, in one fixed order.
    package var text: String

    package init(file: String?, since: UInt64, rules: Int, text: String) {
        self.file = file
        self.since = since
        self.rules = rules
        self.text = text
    }
}

/// Which policy to take or to compare with: `POST /v1/policy/reload`, `POST /v1/policy/diff`.
package struct PolicyRequest: Codable, Equatable, Sendable {
    /// An absolute path, as the router sees it; absent: the one of `router.json`.
    package var file: String?

    package init(file: String? = nil) { self.file = file }

    package func validate() throws(AdminError) {
        guard let file else { return }
        guard file.hasPrefix("/"), file.utf8.count < 4096, !file.utf8.contains(0) else {
            throw AdminError(.badRequest, "file: not an absolute path")
        }
    }
}

/// What a reload has done.
package struct ReloadReport: Codable, Equatable, Sendable {
    package var file: String
    package var rules: Int
    /// Whether the policy is another one than before.
    package var isChanged: Bool
    package var connectionsKept: Int
    package var connectionsCut: Int
    /// From the request until new connections and packets obey it.
    package var inForceMilliseconds: Double
    /// From the request until the last connection that it denies was cut.
    package var milliseconds: Double

    package init(
        file: String, rules: Int, isChanged: Bool, connectionsKept: Int, connectionsCut: Int,
        inForceMilliseconds: Double, milliseconds: Double
    ) {
        self.file = file
        self.rules = rules
        self.isChanged = isChanged
        self.connectionsKept = connectionsKept
        self.connectionsCut = connectionsCut
        self.inForceMilliseconds = inForceMilliseconds
        self.milliseconds = milliseconds
    }
}

/// What a reload would do.
package struct PolicyDiffReport: Codable, Equatable, Sendable {
    /// One part of the policy that is another one than before.
    package struct Change: Codable, Equatable, Sendable {
        /// `rules`, `defaultAction` ...
        package var part: String
        package var name: String?
        /// As the file would have it; absent: new.
        package var before: String?
        /// Absent: gone.
        package var after: String?

        package init(part: String, name: String?, before: String?, after: String?) {
            self.part = part
            self.name = name
            self.before = before
            self.after = after
        }
    }

    package var changes: [Change]
    package var connectionsKept: Int
    package var cut: [ConnectionReport]

    package init(changes: [Change], connectionsKept: Int, cut: [ConnectionReport]) {
        self.changes = changes
        self.connectionsKept = connectionsKept
        self.cut = cut
    }
}
