//! What packages install beside the program, made from the definition of the command line:
//! completion scripts and the manual page.

use anyhow::Context as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::cli::Cli;

const NAME: &str = "vxlan_exporter";

/// The completion script of a shell.
#[must_use]
pub fn completion(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::definition(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The manual page in roff, with a section for each command.
pub fn page() -> anyhow::Result<String> {
    let mut command = Cli::definition().version(env!("CARGO_PKG_VERSION")).disable_version_flag(true);
    command.build();
    let mut roff = Vec::new();
    Man::new(command.clone()).render(&mut roff).context("writing the manual page")?;
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let man = Man::new(command.clone());
        let title = format!(".SH \"COMMAND {}\"\n", command.get_name().to_uppercase());
        roff.extend(title.into_bytes());
        man.render_description_section(&mut roff).context("writing the manual page")?;
        man.render_options_section(&mut roff).context("writing the manual page")?;
    }
    Ok(String::from_utf8_lossy(&roff).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_commands_and_flags() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let script = completion(shell);
            for word in ["reflect", "web.listen-address", "expected-mtu", "completion"] {
                assert!(script.contains(word), "{shell}: no {word}");
            }
        }
    }

    #[test]
    fn the_page_has_every_command() {
        let page = page().expect("a page");
        for word in
            [".TH", "COMMAND SERVE", "COMMAND PROBE", "COMMAND CONFIG", "expected\\-mtu", "VXLAN_EXPORTER_"]
        {
            assert!(page.contains(word), "no {word} in {page}");
        }
    }
}
