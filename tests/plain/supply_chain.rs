//! What is documented about the dependencies, compared with Cargo.toml, and the pinned versions of
//! the tools.

use std::{collections::BTreeSet, fs, path::Path};

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it is there")
}

/// Names under `[dependencies]`.
fn direct() -> BTreeSet<String> {
    let text = read("Cargo.toml");
    let section = text.split("\n[dependencies]\n").nth(1).expect("dependencies");
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
}

#[test]
fn every_direct_dependency_has_its_reason_and_no_other_is_listed() {
    let text = read("docs/dependencies.md");
    let rows =
        text.lines().filter_map(|line| line.strip_prefix("| ")).filter(|row| !row.starts_with("crate |"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.trim_end_matches(" |").split(" | ").collect()).collect();
    let listed: BTreeSet<String> = rows.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(listed, direct());
    for row in rows {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.trim().is_empty()), "{row:?}");
    }
}

#[test]
fn every_tool_is_pinned_and_comes_by_the_script() {
    let (makefile, script) = (read("Makefile"), read("scripts/cargo-tools.sh"));
    assert!(!makefile.contains("cargo install"), "a tool of no certain version");
    for line in makefile.lines().filter_map(|line| line.split("scripts/cargo-tools.sh ").nth(1)) {
        for tool in line.split_whitespace() {
            let pin = script.lines().find_map(|line| line.strip_prefix(&format!("    {tool}) echo ")));
            let words: Vec<&str> = pin.expect(tool).split_whitespace().collect();
            let [version, hash, ";;"] = words.as_slice() else { panic!("{tool}: {words:?}") };
            assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{tool}: {version}");
            assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tool}: {hash}");
        }
    }
}
