internal import FoundationEssentials
package import Logging
internal import SystemPackage

/// Logs to standard error, one line an event: `key=value` text or a JSON object.
///
/// A line goes out in one write, so that lines of several processes do not mix.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let format: LogSettings.Format
    private let label: String
    private let write: @Sendable (String) -> Void

    package init(
        label: String, settings: LogSettings, write: @escaping @Sendable (String) -> Void = Self.writeToStandardError
    ) {
        self.label = label
        self.write = write
        format = settings.format
        logLevel = Logger.Level(rawValue: settings.level.rawValue) ?? .info
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let extra = (metadataProvider?.get() ?? [:]).merging(event.metadata ?? [:]) { $1 }
        let fields = metadata.merging(extra) { $1 }.sorted { $0.key < $1.key }
        let time = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
        let values = [("time", time), ("level", event.level.rawValue), ("message", event.message.description)]
        write(Self.line(values + fields.map { ($0.key, $0.value.description) }, format, label: label))
    }

    private static func line(_ fields: [(String, String)], _ format: LogSettings.Format, label: String) -> String {
        switch format {
        case .text:
            fields.map { key, value in
                key == "time" || key == "level" ? value : key == "message" ? plain(value) : "\(key)=\(logfmt(value))"
            }.joined(separator: " ") + "\n"
        case .json:
            "{" + (fields + [("logger", label)]).map { "\(json($0)):\(json($1))" }.joined(separator: ",") + "}\n"
        }
    }

    /// Line ends and other control characters would let a value pretend to be another event.
    private static func plain(_ text: String) -> String {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? json(text) : text
    }

    private static func logfmt(_ text: String) -> String {
        let isBare =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0.properties.generalCategory != .control
            }
        return isBare ? text : json(text)
    }

    private static func json(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.properties.generalCategory == .control:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    package static let writeToStandardError: @Sendable (String) -> Void = { line in
        _ = try? FileDescriptor.standardError.writeAll(line.utf8)
    }
}

extension LogSettings {
    /// Makes every logger of the process log so. Once per process.
    package func bootstrap() {
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, settings: self) }
    }
}
