//! Limits on what is kept of one router's output.
//!
//! The size of the output is limited when it is received. The limits here apply to what parsers
//! make of it: numbers of interfaces, forwarding entries and other things, and the scrape's
//! deadline. What is beyond them is left out and counted.
//!
//! Parsers are pure functions of text, so the limits are not passed to them: they belong to the
//! scrape that runs on the thread. Outside a scrape the defaults apply, without a deadline.

use std::{
    cell::{Cell, RefCell},
    time::Instant,
};

use crate::{
    model::{
        plan::ReadLimits,
        snapshot::Link,
        types::{Dropped, DroppedKind},
    },
    text::Sentence,
};

/// Most remotes in all forwarding entries of a router. Each remote is three series.
pub(crate) const MOST_REMOTES: usize = 4096;
/// Most addresses of all interfaces of a router.
pub(crate) const MOST_ADDRESSES: usize = 4096;
/// Most VNI ranges in all filters of a router. A bridge has at most 4094 VLANs to map.
pub(crate) const MOST_VNI_RANGES: usize = 16_384;
/// Most VNIs of a router with counters of their own.
pub(crate) const MOST_VNI_COUNTERS: usize = 4096;

#[derive(Debug, Default)]
struct Reading {
    limits: ReadLimits,
    deadline: Option<Instant>,
}

thread_local! {
    static READING: Cell<Reading> = const {
        Cell::new(Reading { limits: ReadLimits::DEFAULT, deadline: None })
    };
    static DROPPED: RefCell<Dropped> = const { RefCell::new(Dropped::new()) };
    static WHY: RefCell<Option<Sentence>> = const { RefCell::new(None) };
}

/// Runs `read` with these limits and this deadline; also returns what was left out.
pub fn within<T>(limits: ReadLimits, deadline: Instant, read: impl FnOnce() -> T) -> (T, Dropped) {
    let former = READING.replace(Reading { limits, deadline: Some(deadline) });
    begin();
    let done = read();
    READING.set(former);
    (done, DROPPED.take())
}

/// Forgets what was left out so far: called when another method starts.
pub(crate) fn begin() {
    DROPPED.take();
    WHY.take();
}

/// What was left out since [`begin`].
#[must_use]
pub(crate) fn left_out() -> Dropped {
    DROPPED.with_borrow(Clone::clone)
}

/// Why the first item left out since [`begin`] could not be understood, if that was the reason.
#[must_use]
pub(crate) fn why() -> Option<Sentence> {
    WHY.with_borrow(Clone::clone)
}

/// The limits of the scrape on this thread.
#[must_use]
pub(crate) fn limits() -> ReadLimits {
    let reading = READING.take();
    let limits = reading.limits;
    READING.set(reading);
    limits
}

/// Whether the deadline of the scrape on this thread has passed.
#[must_use]
pub(crate) fn is_late() -> bool {
    let reading = READING.take();
    let late = reading.deadline.is_some_and(|deadline| Instant::now() >= deadline);
    READING.set(reading);
    late
}

/// Counts items as left out.
pub(crate) fn leave_out(kind: DroppedKind, count: u64) {
    if count > 0 {
        DROPPED.with_borrow_mut(|dropped| *dropped.entry(kind).or_default() += count);
    }
}

/// Counts one item as not understood, with the reason.
pub(crate) fn leave_out_for(kind: DroppedKind, why: impl Into<Sentence>) {
    leave_out(kind, 1);
    WHY.with_borrow_mut(|first| {
        first.get_or_insert_with(|| why.into());
    });
}

/// Whether one more item is allowed when there are `have`; if not, it is counted as left out.
#[must_use]
pub(crate) fn admits(kind: DroppedKind, have: usize, most: usize) -> bool {
    if have >= most {
        leave_out(kind, 1);
    }
    have < most
}

/// Removes and counts addresses beyond [`MOST_ADDRESSES`].
pub(crate) fn few_addresses(links: &mut [Link]) {
    let mut room = MOST_ADDRESSES;
    for link in links {
        let over = link.addresses.len().saturating_sub(room);
        link.addresses.truncate(room);
        room -= link.addresses.len();
        leave_out(DroppedKind::Address, over as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{model::types::dropped, router::parse};

    #[test]
    fn a_scrape_has_its_own_limits_and_tells_what_is_beyond() {
        let limits = ReadLimits { max_interfaces: 2, ..ReadLimits::default() };
        let soon = Instant::now() + Duration::from_hours(1);
        let (let_in, dropped) = within(limits, soon, || {
            let most = super::limits().max_interfaces;
            assert!(!is_late());
            (0..5).filter(|have| admits(DroppedKind::Interface, *have, most)).count()
        });
        assert_eq!((let_in, &dropped), (2, &Dropped::from([(DroppedKind::Interface, 3)])));
        assert_eq!(dropped::said(&dropped), "3 interfaces");
        assert_eq!(
            dropped::remedy(&dropped, None),
            "raise `max_interfaces` if the router really has so many"
        );
        assert_eq!(super::limits(), ReadLimits::default());
        assert!(within(limits, Instant::now(), is_late).0);
        let late = within(limits, Instant::now(), || parse::link::links(r#"[{"ifname":"a"},{"ifname":"b"#));
        assert!(
            late.0.unwrap_err().message.contains("the deadline passed"),
            "before the end of what is broken"
        );
        assert!(!is_late(), "without a scrape there is no deadline");
    }
}
