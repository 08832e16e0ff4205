internal import Glibc
internal import SlimLab

/// The servers that are measured: as Debian ships them, with one worker each.
extension Bench {
    static let webPort = "8080"
    static let redisPort = "6379"
    static let memcachedPort = "11211"
    static let postgresPort = "5432"

    /// nginx with one worker, which answers `/` with a short text and everything else with a file of the folder.
    func serveNginx(_ mode: Mode, _ folder: borrowing WorkFolder, pin: [String] = []) async throws(LabError)
        -> LabProcess
    {
        let server = placement.server(mode)
        let process = try start(
            pin + (try Self.nginx(server, folder)), on: server, underSlim: mode == .slim)
        _ = try await client(mode, Self.untilAnswer("http://\(try address(mode)):\(Self.webPort)/"))
        return process
    }

    /// The command for nginx on a host or container.
    static func nginx(_ node: String, _ folder: borrowing WorkFolder) throws(LabError) -> [String] {
        let path = folder.path
        let text = """
            worker_processes 1;
            daemon off;
            pid \(path)/\(node).pid;
            error_log stderr;
            events { worker_connections 1024; }
            http {
                access_log off;
                keepalive_requests 100000000;
                client_body_temp_path \(path)/body;
                proxy_temp_path \(path)/proxy;
                fastcgi_temp_path \(path)/fastcgi;
                uwsgi_temp_path \(path)/uwsgi;
                scgi_temp_path \(path)/scgi;
                server {
                    listen \(webPort);
                    root \(path);
                    location = / { default_type text/plain; return 200 "Slim\\n"; }
                }
            }

            """
        return ["nginx", "-c", try folder.write("\(node).conf", text), "-p", path]
    }

    /// Asks until there is an answer: nginx does not tell when it is ready.
    static func untilAnswer(_ url: String) -> [String] {
        [
            "curl", "-4sSf", "--retry", "20", "--retry-connrefused", "--retry-delay", "0", "--retry-max-time", "5",
            "-o",
            "/dev/null", url,
        ]
    }

    func serveRedis(_ mode: Mode, _ folder: borrowing WorkFolder, pin: [String] = []) async throws(LabError)
        -> LabProcess
    {
        try await serve(mode, pin + Self.redis(folder), until: Self.redisReady)
    }

    static let redisReady = "Ready to accept connections"

    static func redis(_ folder: borrowing WorkFolder) -> [String] {
        [
            "redis-server", "--port", redisPort, "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
            "--dir", folder.path,
        ]
    }

    /// memcached with one thread.
    static let memcached = ["memcached", "-u", "root", "-t", "1", "-l", "0.0.0.0", "-p", memcachedPort, "-U", "0"]

    /// Connects until somebody accepts: for servers that do not tell when they are ready.
    static func untilConnected(_ address: String, _ port: String) -> [String] {
        [
            "bash", "-c",
            "for i in {1..200}; do (: </dev/tcp/\(address)/\(port)) 2>&- && exit; sleep 0.02; done; exit 1",
        ]
    }

    /// Makes a PostgreSQL server's data, with pgbench's tables in it.
    ///
    /// - Parameter name: what is made once is copied for every server.
    func makeDatabase(_ name: String, _ folder: borrowing WorkFolder) async throws(LabError) {
        let programs = try Self.postgresPrograms()
        let data = "\(folder.path)/\(name)"
        let local: [[String]] = [
            ["install", "-d", "-o", "postgres", data],
            Self.asPostgres + [
                "\(programs)/initdb", "-D", data, "-A", "trust", "-N", "--no-locale", "-E", "UTF8",
            ],
            ["sh", "-c", "echo 'host all all all trust' >>\(data)/pg_hba.conf"],
        ]
        for arguments in local { try await run(arguments, on: nil, underSlim: false) }
        let server = try start(try Self.postgres(data), on: "h1", underSlim: false)
        try await server.waitForOutput(Self.postgresReady, atMost: .seconds(30))
        try await run(
            ["\(programs)/pgbench", "-h", data, "-p", Self.postgresPort, "-U", "postgres", "-i", "-q", "postgres"],
            on: nil, underSlim: false)
        await Self.endPostgres(server)
    }

    /// The command for a server with that data.
    static func postgres(_ data: String) throws(LabError) -> [String] {
        let settings = [
            "listen_addresses=0.0.0.0", "unix_socket_directories=\(data)", "fsync=off", "autovacuum=off",
            "bgwriter_delay=10s", "max_connections=100", "shared_buffers=64MB",
        ]
        return asPostgres + ["\(try postgresPrograms())/postgres", "-D", data, "-p", postgresPort]
            + settings.flatMap { ["-c", $0] }
    }

    static let postgresReady = "ready to accept connections"

    /// Ends a PostgreSQL server at once and in order: sessions that are still there are ended.
    static func endPostgres(_ server: LabProcess) async {
        server.send(signal: SIGINT)
        if (try? await server.wait(atMost: .seconds(20))) == nil { await server.end() }
    }

    private static let asPostgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]

    /// The folder of the newest PostgreSQL: its programs are not in `PATH`.
    static func postgresPrograms() throws(LabError) -> String {
        for version in (12..<30).reversed() {
            let path = "/usr/lib/postgresql/\(version)/bin"
            if access("\(path)/postgres", X_OK) == 0 { return path }
        }
        throw LabError(
            .machine, "/usr/lib/postgresql: there is no PostgreSQL; install what is missing with `make deps`")
    }
}
