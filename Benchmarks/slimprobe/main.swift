// An ordinary TCP program that knows nothing of Slim: an echo server, and clients that measure.

import CSlimSystem
import Glibc

let usage = """
    usage: slimprobe serve [--port 7] [-4|-6] [--cpu N]
           slimprobe serve-many [--port 7] [--ports N] [--cpu N]
           slimprobe rtt HOST PORT [--count N] [--bytes N] [-4|-6] [--cpu N]
           slimprobe connect HOST PORT [--count N] [-4|-6] [--cpu N]
           slimprobe connect-echo HOST PORT [--count N] [--bytes N] [-4|-6] [--cpu N]
           slimprobe connect-first HOST PORT [--ports N] [-4|-6] [--cpu N]
           slimprobe meet PORT HOST... [--count N] [--bytes N] [-4|-6] [--cpu N]
           slimprobe exec PROGRAM [--count N] [--cpu N]
           slimprobe churn HOST PORT [--count N] [-4|-6] [--cpu N]
           slimprobe load http|memcached HOST PORT [--connections N] [--rate N] [--seconds N] [-4|-6] [--cpu N]
           slimprobe stream HOST PORT [--connections N] [--rate BYTES] [--seconds N] [-4|-6] [--cpu N]
           slimprobe hold HOST PORT [--connections N] [-4|-6] [--cpu N]

    """

func run(_ arguments: [String]) throws(ProbeError) {
    guard arguments.count > 1 else { throw .usage("no verb is given\n\(usage)") }
    let options = try Options(arguments.dropFirst(2))
    if let cpu = options.cpu { try check("sched_setaffinity") { slim_lab_pin(Int32(cpu)) } }
    switch arguments[1] {
    case "serve": try Server(options).run()
    case "serve-many":
        var server = try ManyServer(options)
        try server.run()
    case "rtt": try Client.roundTrip(options)
    case "connect": try Client.connect(options)
    case "connect-echo": try Client.connectEcho(options)
    case "connect-first": try Many.first(options)
    case "meet": try Many.meet(options)
    case "exec": try Client.execute(options)
    case "churn": try Churn.run(options)
    case "load": try Load.run(options)
    case "stream": try Stream.run(options)
    case "hold": try Client.hold(options)
    default: throw .usage("unknown verb \(arguments[1])\n\(usage)")
    }
}

/// Says why, and ends the process.
func fail(_ error: ProbeError) -> Never {
    let line = Array("slimprobe: \(error.message)\n".utf8)
    _ = write(2, line, line.count)
    exit(error.exitCode)
}

slim_lab_buffer_lines()
signal(SIGPIPE, SIG_IGN)
do throws(ProbeError) {
    try run(CommandLine.arguments)
} catch { fail(error) }
