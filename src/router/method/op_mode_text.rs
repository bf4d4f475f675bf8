//! The third method: VyOS's op-mode as text, on every version and for users who may run little
//! else.
//!
//! It shows the same as [`raw`](super::op_mode_json), but only for vxlan interfaces.

use std::time::Instant;

use crate::{
    model::{
        snapshot::{Link, RouterSnapshot, ScrapeError},
        types::{FailureReason, LinkKind, Method},
    },
    router::{
        bounds,
        parse::{self, links::Links},
        script::{Failed, SYSTEM, UPTIME_AFTER, UPTIME_BEFORE, misread, run},
        shell::Shell,
    },
    vendor::Vyos,
};

/// One scrape, finished before `deadline`. Blocks; never retries.
pub(crate) fn scrape(shell: &mut dyn Shell, deadline: Instant) -> Result<RouterSnapshot, Failed> {
    let body =
        [UPTIME_BEFORE, Vyos::SHOW_TEXT, UPTIME_AFTER, SYSTEM, Vyos::VERSION_FILES, Vyos::SHOW_VERSION]
            .concat();
    run(shell, &body, deadline, |output| {
        let text = output.must("interfaces", "show interfaces vxlan detail", "VyOS has it")?;
        let shown = parse::show_text::links(text).map_err(|error| misread(&error))?;
        Ok(output.system().with_links(Method::Text, whole(shown)?))
    })
}

/// The vxlan interfaces of `show interfaces vxlan detail`; an error if one of them is cut short.
pub(crate) fn whole(shown: Links) -> Result<Vec<Link>, ScrapeError> {
    if let Some(name) = shown.incomplete.first() {
        let message = format!("the output of `show interfaces vxlan detail` is cut short at {name}");
        return Err(ScrapeError::new(FailureReason::Truncated, message));
    }
    let mut links = shown.into_kernel();
    bounds::few_addresses(&mut links);
    for link in &mut links {
        link.kind = Some(LinkKind::Vxlan);
    }
    Ok(links)
}
