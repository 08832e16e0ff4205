/// What a policy says otherwise than another one, by the names of its parts.
package struct PolicyDifference: Hashable, Sendable {
    /// One part that is not the same in both.
    package struct Change: Hashable, Sendable {
        /// What the file calls its list: `rules`, `isolate`, `bandwidth`, `qos`; or `defaultAction`, `description`.
        package let part: String
        /// Its name; `nil` where there is but one.
        package let name: String?
        /// As the file has it; `nil`: it is new.
        package let before: String?
        /// As the file has it; `nil`: it is gone.
        package let after: String?
    }

    /// By part, then by name.
    package let changes: [Change]

    package var isEmpty: Bool { changes.isEmpty }

    package init(from old: PolicyDocument, to new: PolicyDocument) {
        var changes: [Change] = []
        if old.description != new.description {
            changes.append(
                Change(part: "description", name: nil, before: old.description, after: new.description))
        }
        if old.defaults != new.defaults {
            changes.append(
                Change(part: "defaultAction", name: nil, before: old.defaults.text, after: new.defaults.text))
        }
        func compare<Element: Equatable>(
            _ part: String, _ old: [Element], _ new: [Element], _ name: (Element) -> String,
            _ text: (Element) -> String
        ) {
            let before = Dictionary(old.map { (name($0), $0) }) { first, _ in first }
            let after = Dictionary(new.map { (name($0), $0) }) { first, _ in first }
            for key in Set(before.keys).union(after.keys).sorted() where before[key] != after[key] {
                changes.append(
                    Change(part: part, name: key, before: before[key].map(text), after: after[key].map(text)))
            }
        }
        compare("isolate", old.isolations, new.isolations, \.name, \.text)
        compare("rules", old.rules, new.rules, \.name, \.text)
        compare("bandwidth", old.bandwidth, new.bandwidth, \.name, \.text)
        compare("qos", old.qos, new.qos, \.name, \.text)
        self.changes = changes
    }
}
