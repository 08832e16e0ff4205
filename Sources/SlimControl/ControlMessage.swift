package import SlimRegistry

/// What routers tell each other.
package enum ControlMessage: Sendable, Equatable {
    /// The sender's key: preambles that the receiver sends it are authenticated with this.
    case key(PreambleKey)
    case keyAccepted(id: UInt64)
    /// Is anyone there, and may this source connect?
    case resolve(ResolveQuery)
    case resolved(ResolveAnswer)
    /// Answers about these destinations are no longer valid.
    case invalidate([Endpoint])
    /// No answer given so far is valid any longer.
    case invalidateAll
    /// Prepared preambles of the sender that count no longer.
    case void(VoidNotice)
    /// They are refused from now on.
    case voided(id: UInt64)
    /// The sender's containers: all after connecting, then what changes.
    case containers(ContainerUpdate)
    /// What does your policy say, and why? For operators only: nothing depends on the answer.
    case explain(ExplainQuery)
    case explained(ExplainAnswer)
}
