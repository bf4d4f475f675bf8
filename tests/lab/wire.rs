//! Holds the lab itself against its fault files: which sizes really pass, one way, without the
//! exporter. A kernel that behaves otherwise is found here, not in a puzzling verdict.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, bail};

use super::{Lab, fault::Fault, numbers::Place};

/// Measures both directions of every path the fault file tells of.
pub fn check(lab: &Lab, fault: &Fault) -> Result<()> {
    let mut wrong = Vec::new();
    for (target, wire) in &fault.wire {
        let (here, there) = (Place::SiteA, target.place());
        for (direction, from, to, wanted) in
            [("forward", here, there, &wire.forward), ("reverse", there, here, &wire.reverse)]
        {
            let measured = measure(lab, from, to, wanted.keys().copied())?;
            for (size, fate) in wanted {
                let said = measured.get(size).map_or("nothing", String::as_str);
                if said != fate {
                    let host = lab.numbers.site(there).host;
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

fn measure(
    lab: &Lab,
    from: Place,
    to: Place,
    sizes: impl Iterator<Item = u32>,
) -> Result<BTreeMap<u32, String>> {
    let script = lab.directory().join("one_way.py");
    fs::write(&script, include_str!("one_way.py"))?;
    let namespace = |place| format!("/run/netns/{}", lab.host(place).name);
    let address = |place| lab.numbers.site(place).host_address.to_string();
    let mut words = vec![script.to_str().context("the lab's directory is not UTF-8")?.to_owned()];
    words.extend([namespace(from), namespace(to), address(from), address(to)]);
    words.extend(sizes.map(|size| size.to_string()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = super::namespace::run("python3", &words)?;
    let fates = said.lines().filter_map(|line| line.split_once(' '));
    fates.map(|(size, fate)| Ok((size.parse()?, fate.to_owned()))).collect()
}
