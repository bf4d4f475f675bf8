//! `/`: what this is, where to go, and the state of each path. Plain HTML without script or style,
//! so that it reads the same in a browser, in `curl` and aloud.

use std::fmt::{self, Display, Write as _};

use crate::model::{
    observation::PathObservation,
    picture::{FixStep, PathPicture},
    state::Present,
    types::Verdict,
};

/// The whole page.
pub(crate) fn page(present: &Present, version: &str) -> String {
    let mut html = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut html, present, version);
    html
}

fn write_page(html: &mut String, present: &Present, version: &str) -> fmt::Result {
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>vxlan_exporter</title>\n</head>\n<body>\n\
         <h1>vxlan_exporter</h1>\n<p>Finds MTU black holes in VXLAN overlays. Version {}.</p>\n\
         <nav><ul><li><a href=\"/metrics\">Metrics</a></li><li><a href=\"/-/healthy\">Health</a></li>\
         <li><a href=\"/-/ready\">Readiness</a></li></ul></nav>\n<main>\n",
        Escaped(version)
    )?;
    if let Some(error) = &present.config.reload_error {
        let error = Escaped(error);
        writeln!(
            html,
            "<p role=\"alert\">The new configuration cannot be used, the previous one stays in use: \
             {error}</p>"
        )?;
    }
    if !present.shard.is_alone() {
        writeln!(html, "<p>Shard {}: other exporters show the rest of this overlay.</p>", present.shard)?;
    }
    write_paths(html, present)?;
    write_routers(html, present)?;
    write_missing(html, present)?;
    html.write_str("</main>\n</body>\n</html>\n")
}

fn write_paths(html: &mut String, present: &Present) -> fmt::Result {
    html.write_str("<h2>Paths</h2>\n")?;
    if present.paths.is_empty() {
        return html.write_str("<p>No path is configured.</p>\n");
    }
    let mut paths: Vec<_> = present.paths_with_pictures().collect();
    // Worst first; equal ones in the order of the configuration.
    paths.sort_by_key(|(path, _)| path.judgement.verdict);
    html.write_str(
        "<table>\n<thead><tr><th scope=\"col\">Path</th><th scope=\"col\">From</th><th scope=\"col\">To</th>\
         <th scope=\"col\">Verdict</th><th scope=\"col\">MTU forward</th><th scope=\"col\">MTU reverse</th>\
         <th scope=\"col\">MTU expected</th></tr></thead>\n<tbody>\n",
    )?;
    for (path, _) in &paths {
        let judgement = &path.judgement;
        writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{} ({})</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Escaped(&path.path),
            Escaped(&path.source),
            Escaped(&path.target_site),
            Escaped(&path.target),
            judgement.verdict,
            Mtu(judgement.mtu_forward, judgement.forward_at_least),
            Mtu(judgement.mtu_reverse, judgement.reverse_at_least),
            OrDash(path.expected_mtu.as_ref().map(|expected| expected.bytes)),
        )?;
    }
    html.write_str("</tbody>\n</table>\n")?;
    for (path, picture) in paths {
        write_path(html, path, picture)?;
    }
    Ok(())
}

fn write_path(html: &mut String, path: &PathObservation, picture: Option<&PathPicture>) -> fmt::Result {
    let judgement = &path.judgement;
    writeln!(html, "<section>\n<h3>{}: {}</h3>", Escaped(&path.path), judgement.verdict)?;
    write!(html, "<p>{}", Escaped(meaning(path)))?;
    if let (Verdict::Unknown, Some(reason)) = (judgement.verdict, judgement.unknown_reason) {
        write!(html, " Reason: {reason}.")?;
    }
    html.write_str("</p>\n")?;
    write_list(html, "Evidence", &judgement.evidence)?;
    if let Some(picture) = picture.filter(|_| judgement.verdict != Verdict::Ok) {
        write_list(html, "Cause", &picture.cause)?;
        write_fix(html, &picture.fix)?;
    }
    html.write_str("</section>\n")
}

fn write_list(html: &mut String, title: &str, items: &[String]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(html, "<h4>{title}</h4>\n<ul>")?;
    for item in items {
        writeln!(html, "<li>{}</li>", Escaped(item))?;
    }
    html.write_str("</ul>\n")
}

fn write_fix(html: &mut String, steps: &[FixStep]) -> fmt::Result {
    if steps.is_empty() {
        return Ok(());
    }
    html.write_str("<h4>How to fix it, in this order</h4>\n<ol>\n")?;
    for step in steps {
        writeln!(html, "<li>on {}: <code>{}</code></li>", Escaped(&step.router), Escaped(&step.command))?;
    }
    html.write_str("</ol>\n")
}

fn write_routers(html: &mut String, present: &Present) -> fmt::Result {
    html.write_str("<h2>Routers</h2>\n")?;
    if present.own_routers().next().is_none() {
        return html.write_str("<p>No router is configured.</p>\n");
    }
    html.write_str("<ul>\n")?;
    for reading in present.own_routers() {
        write!(html, "<li>{} ({}): ", Escaped(&reading.router), Escaped(&reading.site))?;
        match (&reading.current, &reading.failure) {
            (Some(snapshot), _) => {
                write!(html, "read, vxlan interfaces: {}", snapshot.vxlan_links().count())?;
            }
            (None, Some(failure)) => write!(html, "cannot be read: {}", Escaped(failure))?,
            (None, None) => html.write_str("not read yet")?,
        }
        html.write_str("</li>\n")?;
    }
    html.write_str("</ul>\n")
}

/// The capabilities that this process lacks, with the reasons; nothing if it has all.
fn write_missing(html: &mut String, present: &Present) -> fmt::Result {
    let missing = present.capabilities.iter().filter_map(|state| {
        let reason = state.missing.as_ref()?;
        Some(format!("{}: {reason}", state.capability))
    });
    let missing: Vec<String> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    html.write_str("<h2>What this exporter cannot do</h2>\n<ul>\n")?;
    for reason in missing {
        writeln!(html, "<li>{}</li>", Escaped(reason))?;
    }
    html.write_str("</ul>\n")
}

/// What a path's verdict means, as a sentence of its own.
fn meaning(path: &PathObservation) -> String {
    let words = path.meaning();
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
}

/// Bytes, or a dash.
struct OrDash(Option<u32>);

impl Display for OrDash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => bytes.fmt(f),
            None => f.write_str("–"),
        }
    }
}

/// A path MTU, a lower bound of it, or a dash.
struct Mtu(Option<u32>, Option<u32>);

impl Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(None, Some(at_least)) => write!(f, "&ge;{at_least}"),
            Self(exact, _) => OrDash(*exact).fmt(f),
        }
    }
}

/// Text in HTML, in an element or an attribute.
struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string().chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::fixture;

    #[test]
    fn every_word() {
        insta::assert_snapshot!("landing", page(&fixture::present(), "0.0.0"));
        insta::assert_snapshot!("landing_empty", page(&Present::default(), "0.0.0"));
    }
}
