//! What this exporter may not do, why, and the line that mends it.

use maud::{Markup, html};

use crate::{
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
            h2 id="abilities" { "What this exporter cannot do" }
            ul class="abilities" {
                @for (capability, why) in missing {
                    li {
                        (Mark::Unknown.with(without(capability))) " " span class="note" { (why) }
                        @if let Some(line) = mend(capability) { br; "To allow it, as root: " kbd { (line) } }
                    }
                }
            }
        }
    }
}

/// What is missing, in words.
const fn without(capability: Capability) -> &'static str {
    match capability {
        Capability::IcmpSocket => "It sends no echoes: sizes and loss are not measured.",
        Capability::NetRaw => "It cannot tell the direction of a black hole.",
        Capability::TcpSyn => "It sends no padded SYNs: the way to a target is not tested on its own.",
        Capability::Fragments => "It sends no fragments: the way back is not tested on its own.",
        Capability::Reflector => "It reflects nothing for others.",
    }
}

fn mend(capability: Capability) -> Option<String> {
    match capability {
        Capability::NetRaw | Capability::IcmpSocket => Some(setcap()),
        Capability::TcpSyn | Capability::Fragments | Capability::Reflector => None,
    }
}
