//! The runbooks of the alerts, as in docs/runbooks, rendered.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{frame, not_found};
use crate::{
    language::{Said, query, say},
    web::{
        answer::Content,
        view::{View, address},
        words::HERE,
    },
};

macro_rules! runbooks {
    ($($name:literal)+) => {
        /// Names of all runbooks.
        pub(super) const NAMES: &[&str] = &[$($name,)+];

        fn text(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../../docs/runbooks/", $name, ".md"))),)+
                _ => None,
            }
        }
    };
}

runbooks! {
    "VxlanBridgeMtuClamp"
    "VxlanDfMismatch"
    "VxlanExporterAbsent"
    "VxlanExporterDown"
    "VxlanExporterOverloaded"
    "VxlanExporterRestarting"
    "VxlanHostKeyMismatch"
    "VxlanMtuBelowBridgePort"
    "VxlanMtuBlackHole"
    "VxlanMtuMismatch"
    "VxlanOuterFragmentation"
    "VxlanPathLossy"
    "VxlanPathMtuReduced"
    "VxlanPathTcpDead"
    "VxlanPathUnknown"
    "VxlanPathUnreachable"
    "VxlanPathUntestable"
    "VxlanPortMismatch"
    "VxlanProbeStale"
    "VxlanReassemblyFailing"
    "VxlanRemoteMismatch"
    "VxlanRouterSaysTooMuch"
    "VxlanRouterScrapeFailing"
    "VxlanRttHigh"
    "VxlanTunnelDown"
    "VxlanTunnelFlapping"
    "VxlanTunnelLoss"
    "VxlanUdpPortUnheard"
    "VxlanUnderlayUnreachable"
    "VxlanVniMismatch"
}

pub(crate) fn runbooks(view: &View) -> Content {
    let main = html! {
        h1 { (say!("Runbooks")) }
        p { (say!("What each alert means, how to see it yourself, and how to mend it.")) }
        ul { @for name in NAMES { li { a href=(address("runbooks", name)) { (name) } } } }
    };
    Content::html(frame::page(view, &say!("Runbooks"), &main))
}

pub(crate) fn runbook(view: &View, name: &str) -> Content {
    let Some(text) = text(name.trim_end_matches(".md")) else {
        let none = say!("There is no runbook {name}.", name = HERE);
        return not_found::none_of_these(view, &none, name, "runbooks", NAMES);
    };
    let main = html! { article class="runbook" lang="en" { (rendered(text)) } p { a href=(format!("/runbooks{}", query())) { (say!("All runbooks")) } } };
    Content::html(frame::page(view, &Said::verbatim(name.to_owned()), &main))
}

/// Markdown as HTML. HTML within it is shown as text, and links to other runbooks lead here.
fn rendered(text: &str) -> Markup {
    let options = Options::ENABLE_TABLES;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: here(&dest_url).into(), title, id })
        }
        // Pictures are not embedded.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => Event::Text("".into()),
        other => other,
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    // A wide block can be scrolled by keyboard too.
    PreEscaped(html.replace("<pre>", "<pre tabindex=\"0\">"))
}

/// The address of what a runbook links to.
fn here(target: &str) -> String {
    let file = target.rsplit('/').next().unwrap_or(target);
    let name = file.split('#').next().unwrap_or(file).trim_end_matches(".md");
    if NAMES.contains(&name) { address("runbooks", name) } else { target.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_here() {
        let files =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbooks")).expect("a folder");
        let names = files.map(|file| file.expect("a file").file_name().into_string().expect("a name"));
        let mut names: Vec<_> = names.map(|name| name.trim_end_matches(".md").to_owned()).collect();
        names.sort();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn nothing_in_them_acts() {
        let html =
            rendered("# A\n\n<script>x</script>\n\n[b](VxlanPathLossy.md#c) ![p](x.png) `d`\n\n    e\n")
                .into_string();
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("href=\"/runbooks/VxlanPathLossy\""), "{html}");
        for name in NAMES {
            let html = rendered(text(name).expect("there")).into_string();
            assert!(html.starts_with("<h1>") && !html.contains(".md\""), "{name}: {html}");
        }
    }
}
