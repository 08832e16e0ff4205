internal import SlimPolicy
internal import SlimRegistry

/// A container anywhere in the overlay, as the policy sees it.
final class Party {
    let identity: ContainerIdentity
    /// What a policy makes of it at each of its addresses, as far as it was asked.
    private var classes: [IPAddress: IdentityClass] = [:]
    /// The serial number of the policy that made them: not the policy, which must not live on here.
    private var judge: UInt64?

    init(_ identity: ContainerIdentity) { self.identity = identity }

    func identityClass(at address: IPAddress, under policy: CompiledPolicy) -> IdentityClass {
        if judge != policy.serial {
            judge = policy.serial
            classes = [:]
        }
        if let known = classes[address] { return known }
        let made = policy.identityClass(
            of: PolicyEndpoint(name: identity.name, labels: identity.labels, address: address))
        classes[address] = made
        return made
    }
}
