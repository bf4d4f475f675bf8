//! `path_files`: which files are read, and the message and position of each mistake in them.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::config::load;

const MOST: u64 = 1 << 20;
const BOTH: &str = "site: a\npath_files: [paths/*.yml]\n";

/// A directory with these files; `config.yml` is the configuration.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("paths")).expect("made");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("written");
    }
    directory
}

fn path(name: &str) -> String {
    format!("- {{name: {name}, site: dc, address: 10.0.0.1}}\n")
}

fn read(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let directory = directory(files);
    let config = load(&directory.path().join("config.yml"), MOST);
    let names =
        |plan: crate::model::plan::Plan| plan.paths.iter().map(|path| path.name.to_string()).collect();
    let here = format!("{}/", directory.path().display());
    config.map(|config| names(config.plan())).map_err(|error| error.to_string().replace(&here, ""))
}

#[test]
fn paths_of_all_files_in_the_order_of_their_names() {
    let own = format!("{BOTH}paths:\n{}", path("own"));
    let json = r#"[{"name": "b", "site": "dc", "address": "10.0.0.1"}]"#;
    let files: [(&str, &str); 6] = [
        ("config.yml", &own),
        ("paths/2.yml", json),
        ("paths/1.yml", &(path("a1") + &path("a2"))),
        ("paths/3.yml", "# nobody yet\n"),
        ("paths/.1.yml.swp", "half"),
        ("paths/README", "- text"),
    ];
    assert_eq!(read(&files).expect("read"), ["own", "a1", "a2", "b"]);
    let twice = "site: a\npath_files: [paths/1.yml, 'paths/[0-9].yml']\n";
    assert_eq!(read(&[("config.yml", twice), ("paths/1.yml", &path("a"))]).expect("read"), ["a"]);
    assert!(read(&[("config.yml", BOTH)]).expect("no file yet").is_empty());
    assert!(read(&[("config.yml", "path_files: [paths/*.yml]")]).expect("no site is needed yet").is_empty());
}

#[test]
fn the_directory_of_the_configuration_may_look_like_a_pattern() {
    let directory = tempfile::tempdir().expect("a directory");
    let odd = directory.path().join("[a]*");
    fs::create_dir_all(odd.join("paths")).expect("made");
    fs::write(odd.join("config.yml"), BOTH).expect("written");
    fs::write(odd.join("paths/1.yml"), path("p")).expect("written");
    let config = load(&odd.join("config.yml"), MOST).expect("read");
    assert_eq!(config.path_files(), [(odd.join("paths/1.yml"), 1)]);
    assert_eq!(config.idle_patterns().count(), 0);
}

#[test]
fn a_mistake_in_a_file_is_placed_there() {
    for (text, message) in [
        ("- name: p\n", "paths/1.yml, line 1 column 3: [0]: key `site` is missing: add it"),
        (
            "- {name: p, site: dc, adress: 10.0.0.1}\n",
            "paths/1.yml, line 1 column 23: [0]: unknown key `adress`: did you mean `address`?",
        ),
        (
            "- {name: p, site: dc, address: 10.0.0.1/24}\n",
            "paths/1.yml, line 1 column 32: [0].address: \"10.0.0.1/24\" is neither an IP address nor a DNS name: \
             leave out the prefix length",
        ),
        (
            "- {name: p, site: dc, site: dc}\n",
            "paths/1.yml, line 1 column 23: [0]: key `site` is given twice: keep one",
        ),
        (
            "paths:\n- name: p\n",
            "paths/1.yml, line 1 column 1: found a mapping, expected a list of paths as below `paths`: `- name: …`",
        ),
        (
            "- {name: p, site: dc, address: 10.0.0.1, sentinel_interval: 500ms}\n",
            "paths/1.yml, line 1 column 61: [0].sentinel_interval: shorter than the probe interval of 1s: give at \
             least that",
        ),
        (
            "- {name: p, site: dc, address: 10.0.0.1}\n- {name: p, site: dc, address: 10.0.0.2}\n",
            "paths/1.yml, line 2 column 10: [1].name: the name \"p\" is given to two paths: give each its own",
        ),
        (
            "- {name: p, site: dc, address: 10.0.0.1, reflector: true, reflector_secret_file: hunter2}\n",
            "paths/1.yml, line 1 column 82: [0].reflector_secret_file: there is no such file and no such directory; the \
             value is not shown, as it may be the secret itself. Write the secret to a file and give the file's full \
             path, or ./NAME if it is beside the configuration",
        ),
        ("[[[[", "paths/1.yml, line 2 column 1: [0]: did not find expected node content"),
    ] {
        let error = read(&[("config.yml", BOTH), ("paths/1.yml", text)]).expect_err(text);
        if text.starts_with("[[") {
            assert!(error.starts_with("paths/1.yml, line "), "{error}");
        } else {
            assert_eq!(error, message, "in\n{text}");
        }
    }
    let binary = directory(&[("config.yml", BOTH)]);
    fs::write(binary.path().join("paths/1.yml"), b"- name: \xff\n").expect("written");
    let error = load(&binary.path().join("config.yml"), MOST).expect_err("not text").to_string();
    assert!(
        error.ends_with("paths/1.yml, line 1 column 9: not UTF-8 text: save the file as UTF-8"),
        "{error}"
    );
    let aliases = format!("- &a {{name: a, site: dc, address: 10.0.0.1}}\n{}", "- *a\n".repeat(200_000));
    let error = read(&[("config.yml", BOTH), ("paths/1.yml", &aliases)]).expect_err("too much");
    assert!(error.contains("paths/1.yml, ") && error.contains("aliases expand"), "{error}");
}

#[test]
fn a_name_in_two_files_names_both() {
    let own = format!("{BOTH}paths:\n{}", path("p"));
    let error = read(&[("config.yml", &own), ("paths/1.yml", &(path("q") + &path("p")))]).expect_err("twice");
    assert_eq!(
        error,
        "paths/1.yml, line 2 column 10: [1].name: the name \"p\" is given to two paths, the other is in config.yml \
         line 4: give each its own"
    );
    let error = read(&[("config.yml", BOTH), ("paths/1.yml", &path("p")), ("paths/2.yml", &path("p"))])
        .expect_err("twice");
    assert_eq!(
        error,
        "paths/2.yml, line 1 column 10: [0].name: the name \"p\" is given to two paths, the other is in paths/1.yml \
         line 1: give each its own"
    );
}

#[test]
fn which_files_is_said_wrongly() {
    for (pattern, message) in [
        ("pats/*.yml", "path_files[0]: there is no directory pats: make it, or correct the name"),
        (
            "paths/1.yml",
            "path_files[0]: cannot read paths/1.yml: No such file or directory (os error 2); put it there, or correct \
             its name",
        ),
        (
            "'**/*.yml'",
            "path_files[0]: \"**/*.yml\" searches more than one directory: name each, a pattern is allowed only in the \
             last part, e.g. paths/*.yml",
        ),
        ("paths/", "path_files[0]: \"paths/\" names a directory: write paths/*.yml for the files in it"),
        (
            "'paths/[a'",
            "path_files[0]: \"paths/[a\" is no pattern (invalid range pattern): write e.g. paths/*.yml",
        ),
        ("''", "path_files[0]: the file name is empty: give the path of a file"),
    ] {
        let error = read(&[("config.yml", &format!("path_files: [{pattern}]\n"))]).expect_err(pattern);
        assert_eq!(error, format!("config.yml, line 1 column 14: {message}"));
    }
    let error = read(&[("config.yml", "path_files: [paths/*.yml]\n"), ("paths/1.yml", &path("p"))]);
    assert_eq!(
        error.expect_err("no site"),
        "config.yml, line 1 column 1: paths need a source site: add `site: NAME` at top level, the site this exporter \
         runs at"
    );
    let error = read(&[("config.yml", "path_files: paths/*.yml\n")]).expect_err("no list");
    assert_eq!(error, "config.yml, line 1 column 13: path_files: found a text, expected a list");
}

#[test]
fn number_and_size_are_bounded() {
    let directory = directory(&[("config.yml", BOTH), ("paths/0.yml", &"#".repeat(2000))]);
    let file = directory.path().join("config.yml");
    let refused = |most: u64| load(&file, most).expect_err("too much").to_string();
    assert!(load(&file, 2100).is_ok());
    let error = refused(2010);
    assert!(error.contains("line 2 column 14: path_files[0]: "), "{error}");
    assert!(error.contains("too long together: allow more with --config.max-size"), "{error}");
    for number in 1..=1000 {
        fs::write(directory.path().join(format!("paths/{number}.yml")), "").expect("written");
    }
    assert!(
        refused(MOST).contains("more than 1000 path files: put several lists into one"),
        "{}",
        refused(MOST)
    );
    fs::remove_file(directory.path().join("paths/0.yml")).expect("removed");
    assert_eq!(load(Path::new(&file), MOST).expect("a thousand").path_files().len(), 1000);
}
