//! The README's samples are the output of commands, except for what differs between machines:
//! tables, round trips, and how many packets were lost. `UPDATE_README=1` inserts today's.

use std::fs;

use anyhow::{Context, Result, ensure};

/// Compares the sample between `<!-- NAME:begin -->` and `<!-- NAME:end -->` with the output of
/// `command`.
pub fn shows(name: &str, command: &str, said: &str) -> Result<()> {
    let file = super::project("README.md");
    let readme = fs::read_to_string(&file)?;
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (before, rest) = readme.split_once(&begin).with_context(|| format!("README.md: no {name}:begin"))?;
    let (shown, after) = rest.split_once(&end).with_context(|| format!("README.md: no {name}:end"))?;
    if std::env::var_os("UPDATE_README").is_some() {
        let text = format!("{before}{begin}```\n$ {command}\n{said}```\n{end}{after}");
        return Ok(fs::write(file, text)?);
    }
    ensure!(
        sentences(shown) == sentences(said),
        "README.md shows another `{name}` than the one that is: UPDATE_README=1 puts this one there:\n{said}"
    );
    Ok(())
}

fn sentences(text: &str) -> String {
    let differs = |line: &&str| {
        line.starts_with(['│', '┌', '╞', '└', '$', '`'])
            || line.contains("small echoes:")
            || ["loss ", "RTT "].iter().any(|number| line.trim_start().starts_with(number))
    };
    let words = text.lines().filter(|line| !differs(line)).flat_map(str::split_whitespace);
    let words = words.map(|word| word.trim_start_matches('('));
    // A lost control changes the number of pairs.
    let words = words.map(|word| if word == "control" { "controls" } else { word });
    words.filter(|word| word.parse::<u8>().is_err()).collect::<Vec<_>>().join(" ")
}
