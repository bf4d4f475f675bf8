//! The second method: VyOS's op-mode as JSON, on 1.4 and later.
//!
//! It shows links, addresses, MTUs and counters, but no tunnel settings: no VNI, remote, port or
//! forwarding entry. Its counters start at the last `clear interfaces counters`. After such a clear
//! they are left out, because they no longer are the kernel's.

use std::time::Instant;

use crate::{
    model::{
        snapshot::{Link, RouterSnapshot},
        types::{LinkKind, Method},
    },
    router::{
        bounds, parse,
        script::{Failed, SYSTEM, UPTIME_AFTER, UPTIME_BEFORE, misread, run},
        shell::Shell,
    },
    vendor::Vyos,
};

/// One scrape, finished before `deadline`. Blocks; never retries.
pub(crate) fn scrape(shell: &mut dyn Shell, deadline: Instant) -> Result<RouterSnapshot, Failed> {
    let body = [UPTIME_BEFORE, Vyos::SHOW_RAW, UPTIME_AFTER, SYSTEM, Vyos::VERSION_FILES].concat();
    run(shell, &body, deadline, |output| {
        let text = output.must("raw", "interfaces.py show --raw", Vyos::HAS_RAW)?;
        let links = parse::op_mode_raw::links(text).map_err(|error| misread(&error))?;
        let mut links: Vec<_> = links.into_kernel().into_iter().map(named).collect();
        bounds::few_addresses(&mut links);
        Ok(output.system().with_links(Method::Raw, links))
    })
}

/// Marks vxlan interfaces by their name: VyOS gives `vxlanN` to these and no others.
fn named(mut link: Link) -> Link {
    if Vyos::names(&link.name) {
        link.kind = Some(LinkKind::Vxlan);
    }
    link
}
