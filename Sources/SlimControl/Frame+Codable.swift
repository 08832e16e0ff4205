internal import FoundationEssentials
internal import SlimRegistry

extension Frame: Codable {
    private enum Key: String, CodingKey {
        case type, version, oldestVersion, name, software, reason, id, secret, dataPorts, source, destination
        case destinations, verdict, isSilent, cacheable, scope, present, gone
        case direction, transport
        case voids, key, through, contacts
    }

    private enum Kind: String {
        case greeting, goodbye, ping, pong, key, keyAccepted, resolve, resolved, invalidate, invalidateAll, containers,
            explain
        case explained, void, voided
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let type = try fields.decode(String.self, forKey: .type)
        guard let kind = Kind(rawValue: type) else {
            self = .unknown(type: type)
            return
        }
        switch kind {
        case .greeting:
            let version = try fields.decode(Int.self, forKey: .version)
            self = .greeting(
                Greeting(
                    version: version,
                    oldestVersion: try fields.decodeIfPresent(Int.self, forKey: .oldestVersion) ?? version,
                    name: try fields.decode(String.self, forKey: .name),
                    software: try fields.decodeIfPresent(String.self, forKey: .software) ?? "unknown"))
        case .goodbye:
            self = .goodbye(reason: try fields.decodeIfPresent(String.self, forKey: .reason) ?? "no reason given")
        case .ping: self = .ping
        case .pong: self = .pong
        case .key: self = .message(.key(try Self.decodeKey(fields)))
        case .keyAccepted: self = .message(.keyAccepted(id: try fields.decode(UInt64.self, forKey: .id)))
        case .resolve:
            self = .message(
                .resolve(
                    ResolveQuery(
                        id: try fields.decode(UInt64.self, forKey: .id),
                        source: try Self.parse(fields, .source, IPAddress.init),
                        destination: try Self.parse(fields, .destination, Endpoint.init(wireText:)))))
        case .resolved:
            self = .message(
                .resolved(
                    ResolveAnswer(
                        id: try fields.decode(UInt64.self, forKey: .id),
                        verdict: try Self.parse(fields, .verdict, ResolveVerdict.init(rawValue:)),
                        isSilent: try fields.decodeIfPresent(Bool.self, forKey: .isSilent) ?? false,
                        cacheable: try fields.decode(Bool.self, forKey: .cacheable))))
        case .invalidate:
            let texts = try fields.decode([String].self, forKey: .destinations)
            self = .message(
                .invalidate(
                    try texts.map { text in
                        guard let endpoint = Endpoint(wireText: text) else {
                            throw Self.malformed(fields, .destinations)
                        }
                        return endpoint
                    }))
        case .invalidateAll: self = .message(.invalidateAll)
        case .explain:
            self = .message(
                .explain(
                    ExplainQuery(
                        id: try fields.decode(UInt64.self, forKey: .id),
                        direction: try fields.decode(String.self, forKey: .direction),
                        source: try Self.parse(fields, .source, IPAddress.init),
                        destination: try Self.parse(fields, .destination, Endpoint.init(wireText:)),
                        transport: try fields.decode(String.self, forKey: .transport))))
        case .explained:
            self = .message(
                .explained(
                    ExplainAnswer(
                        id: try fields.decode(UInt64.self, forKey: .id),
                        verdict: try fields.decode(String.self, forKey: .verdict),
                        reason: try fields.decode(String.self, forKey: .reason))))
        case .void:
            let contacts = try fields.decode([WireContact].self, forKey: .contacts)
            self = .message(
                .void(
                    VoidNotice(
                        id: try fields.decode(UInt64.self, forKey: .id),
                        key: try fields.decode(UInt64.self, forKey: .key),
                        through: try fields.decode(UInt64.self, forKey: .through),
                        contacts: try contacts.map { contact in
                            guard let source = IPAddress(contact.source),
                                let destination = Endpoint(wireText: contact.destination)
                            else { throw Self.malformed(fields, .contacts) }
                            return VoidNotice.Contact(
                                source: source, destination: destination, through: contact.through)
                        })))
        case .voided: self = .message(.voided(id: try fields.decode(UInt64.self, forKey: .id)))
        case .containers:
            self = .message(
                .containers(
                    ContainerUpdate(
                        try Self.parse(fields, .scope, ContainerUpdate.Scope.init(rawValue:)),
                        present: try fields.decodeIfPresent([ContainerIdentity].self, forKey: .present) ?? [],
                        gone: try fields.decodeIfPresent([String].self, forKey: .gone) ?? [])))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        func type(_ kind: Kind) throws { try fields.encode(kind.rawValue, forKey: .type) }
        switch self {
        case .greeting(let greeting):
            try type(.greeting)
            try fields.encode(greeting.version, forKey: .version)
            try fields.encode(greeting.oldestVersion, forKey: .oldestVersion)
            try fields.encode(greeting.name, forKey: .name)
            try fields.encode(greeting.software, forKey: .software)
        case .goodbye(let reason):
            try type(.goodbye)
            try fields.encode(reason, forKey: .reason)
        case .ping: try type(.ping)
        case .pong: try type(.pong)
        case .unknown(let name): try fields.encode(name, forKey: .type)
        case .message(.key(let key)):
            try type(.key)
            try fields.encode(key.id, forKey: .id)
            try fields.encode(Data(key.secret).base64EncodedString(), forKey: .secret)
            try fields.encode(key.dataPorts.map(\.rawValue), forKey: .dataPorts)
            if key.voids { try fields.encode(true, forKey: .voids) }
        case .message(.keyAccepted(let id)):
            try type(.keyAccepted)
            try fields.encode(id, forKey: .id)
        case .message(.resolve(let query)):
            try type(.resolve)
            try fields.encode(query.id, forKey: .id)
            try fields.encode(query.source.description, forKey: .source)
            try fields.encode(query.destination.description, forKey: .destination)
        case .message(.resolved(let answer)):
            try type(.resolved)
            try fields.encode(answer.id, forKey: .id)
            try fields.encode(answer.verdict.rawValue, forKey: .verdict)
            if answer.isSilent { try fields.encode(true, forKey: .isSilent) }
            try fields.encode(answer.cacheable, forKey: .cacheable)
        case .message(.invalidate(let destinations)):
            try type(.invalidate)
            try fields.encode(destinations.map(\.description), forKey: .destinations)
        case .message(.invalidateAll): try type(.invalidateAll)
        case .message(.void(let notice)):
            try type(.void)
            try fields.encode(notice.id, forKey: .id)
            try fields.encode(notice.key, forKey: .key)
            try fields.encode(notice.through, forKey: .through)
            let contacts = notice.contacts.map {
                WireContact(
                    source: $0.source.description, destination: $0.destination.description, through: $0.through)
            }
            try fields.encode(contacts, forKey: .contacts)
        case .message(.voided(let id)):
            try type(.voided)
            try fields.encode(id, forKey: .id)
        case .message(.explain(let query)):
            try type(.explain)
            try fields.encode(query.id, forKey: .id)
            try fields.encode(query.direction, forKey: .direction)
            try fields.encode(query.source.description, forKey: .source)
            try fields.encode(query.destination.description, forKey: .destination)
            try fields.encode(query.transport, forKey: .transport)
        case .message(.explained(let answer)):
            try type(.explained)
            try fields.encode(answer.id, forKey: .id)
            try fields.encode(answer.verdict, forKey: .verdict)
            try fields.encode(answer.reason, forKey: .reason)
        case .message(.containers(let update)):
            try type(.containers)
            try fields.encode(update.scope.rawValue, forKey: .scope)
            if !update.present.isEmpty { try fields.encode(update.present, forKey: .present) }
            if !update.gone.isEmpty { try fields.encode(update.gone, forKey: .gone) }
        }
    }

    private static func decodeKey(_ fields: KeyedDecodingContainer<Key>) throws -> PreambleKey {
        let secret = try parse(fields, .secret) { Data(base64Encoded: $0) }
        guard secret.count == PreambleKey.secretBytes else { throw malformed(fields, .secret) }
        let ports = try fields.decode([UInt16].self, forKey: .dataPorts)
        guard ports.count <= PreambleKey.maximumPorts, !ports.contains(0) else { throw malformed(fields, .dataPorts) }
        return PreambleKey(
            id: try fields.decode(UInt64.self, forKey: .id), secret: [UInt8](secret), dataPorts: ports.map { Port($0) },
            voids: try fields.decodeIfPresent(Bool.self, forKey: .voids) ?? false)
    }

    private struct WireContact: Codable {
        let source: String
        let destination: String
        let through: UInt64
    }

    private static func parse<Value>(
        _ fields: KeyedDecodingContainer<Key>, _ key: Key, _ make: (String) -> Value?
    ) throws -> Value {
        guard let value = make(try fields.decode(String.self, forKey: key)) else { throw malformed(fields, key) }
        return value
    }

    private static func malformed(_ fields: KeyedDecodingContainer<Key>, _ key: Key) -> DecodingError {
        .dataCorruptedError(forKey: key, in: fields, debugDescription: "not a valid value")
    }
}
