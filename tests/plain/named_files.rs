//! Files, folders and modules that the pages for developers name are there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::files::{below, root};

/// Each page, with the folders that it speaks of, beside src/ and what a line has named before.
const PAGES: [(&str, &[&str]); 7] = [
    ("CONTRIBUTING.md", &[]),
    ("docs/architecture.md", &["docs"]),
    ("docs/performance.md", &[]),
    ("docs/probing.md", &[]),
    ("docs/reliability.md", &[]),
    ("docs/scale.md", &[]),
    ("docs/underlay.md", &[]),
];
const ENDINGS: [&str; 10] = ["rs", "yml", "yaml", "py", "sh", "md", "json", "mjs", "toml", "snap"];

/// The items, rows and paragraphs of a page, each in one line.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        let begins = line.is_empty()
            || line.starts_with(['|', '#', '-'])
            || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        match blocks.last_mut() {
            Some(block) if !begins => {
                block.push(' ');
                block.push_str(line.trim_start());
            }
            _ => blocks.push(line.to_owned()),
        }
    }
    blocks
}

/// What stands between backticks.
fn quoted(block: &str) -> impl Iterator<Item = &str> {
    block.split('`').skip(1).step_by(2)
}

/// A placeholder of a recipe, such as `NAME.yml`, or a pattern.
fn is_placeholder(name: &str) -> bool {
    name.contains('*') || name.split('.').next().is_some_and(|stem| stem == "NAME")
}

fn is_file_name(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./*".contains(c);
    let ending = word.rsplit_once('.').map(|(_, ending)| ending);
    word.chars().all(plain)
        && !word.starts_with(['/', '.', '-'])
        && !word.starts_with("target/")
        && (word.ends_with('/') || ending.is_some_and(|ending| ENDINGS.contains(&ending)))
}

/// Whether `name` is there, seen from the root, from src/, or from a folder that its block has
/// named before.
fn is_there(name: &str, folders: &mut BTreeSet<PathBuf>) -> bool {
    let path = Path::new(name);
    let (path, any) = match path.file_name().and_then(|last| last.to_str()) {
        Some(last) if is_placeholder(last) => (path.parent().unwrap_or(path), true),
        _ => (path, false),
    };
    let found: Vec<PathBuf> =
        folders.iter().map(|folder| folder.join(path)).filter(|it| it.exists()).collect();
    for it in &found {
        folders.extend(it.is_dir().then(|| it.clone()));
        folders.extend(it.ancestors().skip(1).take(2).map(Path::to_owned));
        // `prober.rs` has its parts in `prober/`.
        folders.extend(Some(it.with_extension("")).filter(|it| it.is_dir()));
    }
    any || !found.is_empty()
}

#[test]
fn every_file_that_a_page_for_developers_names_is_there() {
    let mut missing = Vec::new();
    let mut count = 0;
    for (page, beside) in PAGES {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        for block in blocks(&text) {
            let known = ["", "src"].iter().chain(beside);
            let mut folders: BTreeSet<PathBuf> = known.map(|folder| root().join(folder)).collect();
            for word in quoted(&block).filter(|word| is_file_name(word)) {
                count += 1;
                if !is_there(word, &mut folders) {
                    missing.push(format!("{page}: `{word}` in: {block}"));
                }
            }
        }
    }
    assert!(count > 80, "only {count} names were read");
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}

/// `a::b::Name`: a file a/b.rs that has that name in it, or a file a/b/Name.rs.
#[test]
fn every_module_that_a_page_for_developers_names_is_there() {
    let files = below(&["src", "tests"]);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    for (page, _) in PAGES {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        let words = blocks(&text);
        let paths = words.iter().flat_map(|block| quoted(block)).filter(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.contains("::")
                && !word.ends_with("::")
                && word.chars().all(plain)
        });
        for path in paths {
            let (module, name) = path.rsplit_once("::").expect("two parts");
            let module = format!("/{}.rs", module.replace("::", "/"));
            let whole = format!("/{}.rs", path.replace("::", "/"));
            let ends = |file: &Path, end: &str| file.to_str().is_some_and(|file| file.ends_with(end));
            let there = files.iter().any(|file| {
                ends(file, &whole)
                    || ends(file, &module) && fs::read_to_string(file).is_ok_and(|text| text.contains(name))
            });
            assert!(there, "{page} names `{path}`, which is not there");
        }
    }
}
