//! Compares the lab itself with its fault files: which sizes really pass, in one direction, without
//! the exporter. A kernel that behaves differently is found here, instead of by a puzzling verdict.

use std::{collections::BTreeMap, fs, net::Ipv4Addr};

use anyhow::{Context, Result, bail};

use super::{
    Lab,
    fault::{Fault, Wire},
    namespace::Namespace,
};

/// How often a size that should pass but was silent is tried again: loss may take all six packets
/// of a round, but one that arrives proves that its size passes. A size that should be silent gets
/// no second chance.
const MORE_ROUNDS: u32 = 3;

/// Measures both directions of every path in the fault file.
pub fn check(lab: &Lab, fault: &Fault) -> Result<()> {
    let mut wrong = Vec::new();
    for (target, wire) in &fault.wire {
        let (here, there) = (lab.vantage(), lab.host(target.place()));
        let (ours, theirs) = (lab.vantage_address(), lab.numbers.site(target.place()).host_address);
        for (direction, from, to, wanted) in [
            ("forward", (here, ours), (there, theirs), &wire.forward),
            ("reverse", (there, theirs), (here, ours), &wire.reverse),
        ] {
            if wanted.is_empty() {
                continue;
            }
            let mut measured = measure(lab, wire, from, to, wanted.keys())?;
            for _ in 0..MORE_ROUNDS {
                let lost = |size| measured.get(size).is_some_and(|said| said == "silent");
                let open = wanted.iter().filter(|&(size, fate)| fate != "silent" && lost(size));
                let open: Vec<&u32> = open.map(|(size, _)| size).collect();
                if open.is_empty() {
                    break;
                }
                measured.extend(measure(lab, wire, from, to, open.into_iter())?);
            }
            for (size, fate) in wanted {
                let said = measured.get(size).map_or("nothing", String::as_str);
                if said != fate {
                    let host = lab.numbers.site(target.place()).host;
                    wrong.push(format!("{host} {direction}, {size} bytes: expected {fate}, measured {said}"));
                }
            }
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("the lab with {} is not what its file says:\n  {}", fault.name, wrong.join("\n  "))
}

fn measure<'a>(
    lab: &Lab,
    wire: &Wire,
    from: (&Namespace, Ipv4Addr),
    to: (&Namespace, Ipv4Addr),
    sizes: impl Iterator<Item = &'a u32>,
) -> Result<BTreeMap<u32, String>> {
    let script = lab.directory().join("one_way.py");
    fs::write(&script, include_str!("one_way.py"))?;
    let mut words = vec![script.to_str().context("the lab's directory is not UTF-8")?.to_owned()];
    words.extend([from.0, to.0].map(|namespace| format!("/run/netns/{}", namespace.name)));
    words.extend([from.1, to.1].map(|address| address.to_string()));
    words.push(wire.flows.to_string());
    words.extend(sizes.map(ToString::to_string));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = super::namespace::run("python3", &words)?;
    let fates = said.lines().filter_map(|line| line.split_once(' '));
    fates.map(|(size, fate)| Ok((size.parse()?, fate.to_owned()))).collect()
}
