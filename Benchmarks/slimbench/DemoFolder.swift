internal import Glibc
internal import SlimLab

/// A temporary folder for the servers' files, removed in the end.
struct DemoFolder: ~Copyable {
    let path: String

    init() throws(LabError) {
        var template = Array("/tmp/slim-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LabError(.machine, "/tmp: cannot make a temporary folder") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(path, 0o755)
    }

    deinit { Self.remove(path) }

    /// nginx with one worker that answers every request with a short text.
    ///
    /// - Returns: the path of the configuration file.
    func nginxConfiguration(_ mode: Mode, port: String) throws(LabError) -> String {
        let text = """
            worker_processes 1;
            daemon off;
            pid \(path)/\(mode.rawValue).pid;
            error_log stderr;
            events { worker_connections 1024; }
            http {
                access_log off;
                keepalive_requests 1000000;
                client_body_temp_path \(path)/body;
                proxy_temp_path \(path)/proxy;
                fastcgi_temp_path \(path)/fastcgi;
                uwsgi_temp_path \(path)/uwsgi;
                scgi_temp_path \(path)/scgi;
                server { listen \(port); location / { default_type text/plain; return 200 "Slim\\n"; } }
            }

            """
        let file = "\(path)/\(mode.rawValue).conf"
        let bytes = Array(text.utf8)
        let descriptor = creat(file, 0o644)
        defer { close(descriptor) }
        guard descriptor != -1, write(descriptor, bytes, bytes.count) == bytes.count else {
            throw LabError(.machine, "\(file): cannot be written")
        }
        return file
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { Self.remove("\(path)/\(name)") }
            }
        }
        Glibc.remove(path)
    }
}
