// swift-tools-version: 6.2
import PackageDescription

/// `make fuzz` names libFuzzer's archive here: the harnesses are then a program, and what they test is watched.
let fuzzer = Context.environment["SLIM_FUZZER"]
let watched: [SwiftSetting] = fuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address"])]
let watchedC: [CSetting] = fuzzer == nil ? [] : [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])]

/// Settings shared by every ordinary (non-Embedded) Swift target.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .treatAllWarnings(as: .error),
    ] + watched

/// The connection path: exclusive access is checked by the debug build that the tests run, not on every connection.
let connectionPath =
    strict + [
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]

/// SlimSocket is Embedded Swift where it is shipped (release) and an ordinary module where it is tested (debug).
let embedded: [SwiftSetting] =
    [
        .enableExperimentalFeature("Embedded", .when(configuration: .release)),
        .unsafeFlags(["-wmo"], .when(configuration: .release)),
        .treatAllWarnings(as: .error),
    ] + watched

/// The shipped library links to nothing: its libc symbols are found, unversioned, in whatever program loads it.
let preloadable: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-Xclang-linker", "-nostdlib", "-Xlinker", "--gc-sections", "-Xlinker", "--strip-all",
            "-Xlinker", "-z", "-Xlinker", "nodelete",
            "-Xlinker", "--version-script=Sources/SlimSocket/exports.map",
        ], .when(configuration: .release))
]

/// Hostile inputs: all that are checked in are among the tests, `make fuzz` looks for others.
let harnesses: [Target.Dependency] = [
    "CMinimalNetlink", "CSlimABI", "CSlimSocket", "CSlimSystem", "SlimConfiguration", "SlimControl", "SlimJSON",
    "SlimNetlink", "SlimPKI",
    "SlimPolicy", "SlimRegistry", "SlimRouterCore", "SlimSocket", "SlimSystem",
    .product(name: "Crypto", package: "swift-crypto"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOEmbedded", package: "swift-nio"),
    .product(name: "SystemPackage", package: "swift-system"),
]
let fuzzing: Target =
    if let fuzzer {
        .executableTarget(
            name: "slimfuzz", dependencies: harnesses, path: "Tests/Fuzz", exclude: ["Corpora", "Replay", "README.md"],
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-sanitize=address", fuzzer]), .linkedLibrary("stdc++")])
    } else {
        .testTarget(
            name: "FuzzTests", dependencies: harnesses, path: "Tests/Fuzz",
            exclude: ["Corpora", "Driver", "README.md"],
            swiftSettings: strict)
    }

let package = Package(
    name: "slim",
    products: [
        .executable(name: "slimrouter", targets: ["slimrouter"]),
        .executable(name: "slimctl", targets: ["slimctl"]),
        .library(name: "slimsocket", type: .dynamic, targets: ["SlimSocket"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
    ],
    targets: [
        // The preloaded library.
        .target(name: "CSlimABI"),
        .target(
            name: "CSlimSocket", dependencies: ["CSlimABI"],
            cSettings: [
                .define("SLIM_PRELOAD", .when(configuration: .release)),
                .unsafeFlags(["-fvisibility=hidden", "-ffunction-sections", "-Wall", "-Wextra"]),
            ] + watchedC),
        .target(
            name: "SlimSocket", dependencies: ["CSlimABI", "CSlimSocket"], exclude: ["exports.map"],
            swiftSettings: embedded, linkerSettings: preloadable),

        // Seams to the kernel.
        .target(name: "CSlimSystem", dependencies: ["CSlimABI"], cSettings: watchedC),
        .target(
            name: "SlimSystem",
            dependencies: [
                "CSlimABI", "CSlimSystem", "SlimRegistry", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: connectionPath),
        .systemLibrary(name: "CNetlinkRoute", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-route-3-dev"])]),
        .systemLibrary(name: "CMinimalNetlink", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        .target(
            name: "SlimNetlink",
            dependencies: [
                "CSlimSystem", "SlimSystem", "SlimRegistry", "CNetlinkRoute", "CMinimalNetlink",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),

        // Secure mode: what makes host sockets harmless in hostile hands.
        .systemLibrary(name: "CBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev"])]),
        .target(name: "CSlimGuard", dependencies: ["CBPF"]),
        .target(
            name: "SlimGuard",
            dependencies: [
                "CBPF", "CSlimGuard", "SlimNetlink", "SlimRegistry", "SlimSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: connectionPath),

        // What a cluster is: addresses, hosts, certificates, configuration.
        .target(name: "SlimRegistry", swiftSettings: strict),
        .target(
            name: "SlimJSON",
            dependencies: ["SlimRegistry", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .target(
            name: "SlimConfiguration",
            dependencies: [
                "CSlimSystem", "SlimSystem", "SlimRegistry", "SlimJSON", "SlimGuard", "SlimPKI",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "SlimPKI",
            dependencies: [
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ], swiftSettings: strict),

        // Who may connect to whom, how fast, and what goes first.
        .target(name: "SlimPolicy", dependencies: ["SlimJSON", "SlimRegistry"], swiftSettings: connectionPath),

        // The packet overlay for everything that is not fast-pathed.
        .target(
            name: "SlimOverlay",
            dependencies: [
                "SlimNetlink", "SlimRegistry", "SlimSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),

        // The policy for packets.
        .systemLibrary(name: "CNftables", pkgConfig: "libnftables", providers: [.apt(["libnftables-dev"])]),
        .target(
            name: "SlimPacketFilter",
            dependencies: [
                "CNftables", "SlimNetlink", "SlimPolicy", "SlimRegistry", "SlimSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),

        // How much containers may send and receive, and what goes first.
        .target(
            name: "SlimTraffic",
            dependencies: [
                "SlimNetlink", "SlimPacketFilter", "SlimPolicy", "SlimRegistry", "SlimSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),

        // Router to router, and operator to router.
        .target(
            name: "SlimControl",
            dependencies: [
                "SlimRegistry", "SlimPKI",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "SlimAdmin",
            dependencies: [
                "CSlimSystem", "SlimSystem",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),

        // The daemon.
        .target(
            name: "SlimRouterCore",
            dependencies: [
                "CSlimABI", "SlimSystem", "SlimNetlink", "SlimRegistry", "SlimJSON", "SlimConfiguration", "SlimOverlay",
                "SlimControl", "SlimAdmin", "SlimGuard", "SlimPolicy", "SlimPacketFilter", "SlimTraffic",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: connectionPath),
        .executableTarget(
            name: "slimrouter",
            dependencies: [
                "SlimRouterCore", "SlimConfiguration", "SlimPKI",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),

        // The operator's tool and the lab.
        .target(
            name: "SlimLab",
            dependencies: [
                "CSlimSystem", "SlimSystem", "SlimNetlink", "SlimRegistry", "SlimConfiguration", "SlimPKI", "SlimAdmin",
                "SlimGuard", .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "slimctl",
            dependencies: [
                "CSlimSystem", "SlimSystem", "SlimLab", "SlimAdmin", "SlimGuard", "SlimJSON", "SlimConfiguration",
                "SlimOverlay", "SlimPKI", "SlimPacketFilter", "SlimPolicy", "SlimRegistry", "SlimTraffic",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),

        // Measuring.
        .executableTarget(
            name: "slimprobe", dependencies: ["CSlimSystem"], path: "Benchmarks/slimprobe", swiftSettings: strict),
        .executableTarget(
            name: "slimbench",
            dependencies: [
                "SlimAdmin", "SlimGuard", "SlimLab", "SlimJSON", "SlimPolicy", "SlimRegistry", "SlimRouterCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/slimbench", swiftSettings: strict),

        // Tests.
        .testTarget(name: "SlimSocketTests", dependencies: ["SlimSocket", "CSlimABI"]),
        .testTarget(
            name: "SlimSystemTests",
            dependencies: [
                "CSlimSystem", "SlimSystem", "SlimRegistry", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .testTarget(name: "SlimRegistryTests", dependencies: ["SlimRegistry"], swiftSettings: strict),
        .testTarget(
            name: "SlimConfigurationTests",
            dependencies: [
                "SlimConfiguration", "SlimGuard", "SlimJSON", "SlimRegistry", "SlimPKI",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(name: "SlimJSONTests", dependencies: ["SlimJSON"], swiftSettings: strict),
        .testTarget(
            name: "SlimPolicyTests",
            dependencies: [
                "SlimPolicy", "SlimJSON", "SlimRegistry", .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .testTarget(
            name: "SlimTrafficTests",
            dependencies: [
                "SlimJSON", "SlimNetlink", "SlimPacketFilter", "SlimPolicy", "SlimRegistry", "SlimTraffic",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .testTarget(name: "SlimPKITests", dependencies: ["SlimPKI"], swiftSettings: strict),
        .testTarget(
            name: "SlimControlTests",
            dependencies: [
                "SlimControl", "SlimPKI", "SlimRegistry",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict,
            // BoringSSL is C++, which the package manager forgets for the bundle of all tests.
            linkerSettings: [.linkedLibrary("stdc++")]),
        .testTarget(
            name: "SlimAdminTests",
            dependencies: [
                "SlimAdmin",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "SlimNetlinkTests",
            dependencies: [
                "CSlimSystem", "SlimJSON", "SlimNetlink", "SlimOverlay", "SlimPacketFilter", "SlimPolicy",
                "SlimRegistry", "SlimSystem", "SlimTraffic",
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .testTarget(
            name: "SlimGuardTests", dependencies: ["CSlimGuard", "SlimGuard", "SlimRegistry"], swiftSettings: strict),
        .testTarget(
            name: "SlimRouterCoreTests",
            dependencies: [
                "CSlimABI", "SlimRouterCore", "SlimRegistry", "SlimSystem",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .testTarget(name: "KernelModuleTests", swiftSettings: strict),
        fuzzing,
        .testTarget(
            name: "IntegrationTests", dependencies: ["SlimLab", "SlimAdmin", "SlimGuard", "SlimSystem", "SlimPKI"],
            exclude: ["README.md", "Helpers", "Programs/Helpers", "Faults/Helpers"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
