//! What this exporter may not do, why, and the line that mends it.

use maud::{Markup, html};

use crate::{
    language::{Said, say},
    model::types::Capability,
    report::one_path::setcap,
    web::{mark::Mark, view::View},
};

pub(super) fn section(view: &View) -> Markup {
    let missing: Vec<_> = view
        .present
        .capabilities
        .iter()
        .filter_map(|known| Some((known.capability, known.missing.as_ref()?)))
        .collect();
    if missing.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="abilities" {
            h2 id="abilities" { (say!("What this exporter cannot do")) }
            ul class="abilities" {
                @for (capability, why) in missing {
                    li {
                        (Mark::Unknown.with(&without(capability))) " " span class="note" lang="en" { (why) }
                        @if let Some(line) = mend(capability) { br; (say!("To allow it, as root:")) " " kbd { (line) } }
                    }
                }
            }
        }
    }
}

/// What is missing, in words.
fn without(capability: Capability) -> Said {
    match capability {
        Capability::IcmpSocket => say!("It sends no echoes: sizes and loss are not measured."),
        Capability::NetRaw => say!("It cannot tell the direction of a black hole."),
        Capability::TcpSyn => say!("It sends no padded SYNs: the way to a target is not tested on its own."),
        Capability::Fragments => say!("It sends no fragments: the way back is not tested on its own."),
        Capability::Reflector => say!("It reflects nothing for others."),
    }
}

fn mend(capability: Capability) -> Option<String> {
    match capability {
        Capability::NetRaw | Capability::IcmpSocket => Some(setcap()),
        Capability::TcpSyn | Capability::Fragments | Capability::Reflector => None,
    }
}
