//! Text that would take the parser long is refused before parsing; each of these took seconds to
//! minutes, or gigabytes.

use std::path::Path;

use crate::config::parse;

fn refused(text: &str) -> String {
    parse(text, Path::new("config.yml")).map(|_| ()).expect_err("refused").to_string()
}

#[test]
fn brackets_are_counted_before_they_are_parsed() {
    let said = refused(&format!("site: a\nrouters: {}", "[".repeat(1 << 20)));
    assert_eq!(
        said,
        "config.yml, line 2 column 74: more than 64 brackets are open here (those in comments and strings \
         count too): close some"
    );
    for text in ["{", "[{", "{a: [", "? [", "- [", "\"[\", ["] {
        let said = refused(&text.repeat(100_000));
        assert!(said.contains("brackets are open"), "{text}: {said}");
    }
    let good = "site: a # [[[\nrouters: []\n".to_owned() + &"# [x](y) {z}\n".repeat(1000);
    assert!(parse(&good, Path::new("config.yml")).is_ok());
}

#[test]
fn what_nests_by_lines_ends_too() {
    for text in [
        "- ",
        "? ",
        "a:\n- ",
        "!a ",
        "&a ",
        "*a ",
        "!!map ",
        "'",
        "\"",
        "|\n",
        ">\n ",
        ": ",
        ", ",
        "%TAG ! a\n",
        "--- ",
    ] {
        assert!(refused(&text.repeat(50_000)).starts_with("config.yml"), "{text}");
    }
    let stairs: Vec<_> = (0..1000).map(|depth| format!("{}- \n", " ".repeat(depth))).collect();
    refused(&stairs.concat());
}

#[test]
fn an_alias_counts_wherever_it_stands() {
    let list = "10.0.0.1, ".repeat(1000);
    let bomb = |routers: usize| {
        format!(
            "routers:\n- &a {{name: a, site: a, local: {{}}, addresses: [{list}]}}\n{}",
            "- *a\n".repeat(routers)
        )
    };
    let said = refused(&bomb(100_000));
    assert!(said.contains("aliases expand this file to more than 32 MiB"), "{said}");
    // At this size each is accepted as a value; the error is about two routers with one name.
    assert!(refused(&bomb(3)).contains("the name \"a\" is given to two routers"));
    let long = format!("site: {}", "a".repeat(5000));
    assert!(refused(&long).contains("longer than 4096 bytes"), "{}", refused(&long));
}
