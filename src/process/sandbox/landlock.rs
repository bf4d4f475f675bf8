//! Landlock (landlock(7)): restricts what a process may do to files, whatever their modes allow.

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};

/// Directories of the system's programs, including those that read a `local: {}` router.
const PROGRAMS: [&str; 8] =
    ["/bin", "/sbin", "/usr", "/lib", "/lib64", "/opt", "/nix", "/run/current-system"];
/// Output that a shell discards goes there.
const BIN: [&str; 1] = ["/dev/null"];

/// Forbids writing, creating and removing files, running programs other than the system's, and
/// signalling processes other than our children.
pub fn forbid_writing() -> Result<(), String> {
    // The newest version that the crate knows; what the kernel lacks is left out.
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
        // Older kernels enforce only a part, which is still most of it.
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
