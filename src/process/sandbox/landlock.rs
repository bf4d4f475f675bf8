//! Landlock (landlock(7)): what a process may do to files, whatever their modes say.

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};

/// Where the system's programs are; what a `local: {}` router is read with is among them.
const PROGRAMS: [&str; 8] =
    ["/bin", "/sbin", "/usr", "/lib", "/lib64", "/opt", "/nix", "/run/current-system"];
/// What a shell throws away goes there.
const BIN: [&str; 1] = ["/dev/null"];

/// Forbids to write, to make, to remove, to run what is not the system's, and to signal who is not our child.
pub fn forbid_writing() -> Result<(), String> {
    // The newest that the crate knows; what the kernel does not is left out of it.
    let abi = ABI::V6;
    let reading = AccessFs::from_read(abi) & !AccessFs::Execute;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi) & !reading)
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(PROGRAMS, AccessFs::Execute)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(BIN, AccessFs::WriteFile | AccessFs::Truncate)))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has no Landlock, or has it switched off".to_owned()),
        // Older kernels have less of it, which is still most.
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
