//! What is remembered of one tunnel.

use std::time::SystemTime;

use super::{
    changes::{Change, Changes},
    minutes::Minutes,
    scale::{self, NOTHING},
};
use crate::{
    language::{Between, Said, say},
    model::{picture::Tunnel, types::TunnelState},
};

/// The last 24 hours of one tunnel.
#[derive(Debug, Clone, Default)]
pub(crate) struct TunnelHistory {
    minutes: Minutes<3>,
    changes: Changes,
    found: Option<Said>,
    minute: u64,
    /// Loss from the first end to the second and back, and whether it is up.
    last: [u8; 3],
}

/// One minute of a tunnel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TunnelMinute {
    /// Since 1970.
    pub minute: u64,
    /// Loss from the first end to the second and from the second to the first, 0 to 1.
    pub loss: [Option<f64>; 2],
    /// Whether it was up.
    pub up: Option<bool>,
}

impl TunnelHistory {
    /// Takes what is known now; `true` if it is a change.
    pub(super) fn observe(&mut self, tunnel: &Tunnel, minute: u64, now: SystemTime) -> bool {
        if self.found.is_none() {
            self.minute = minute;
        } else if minute != self.minute {
            self.minutes.push(self.minute, self.last, [NOTHING; 3]);
            self.minute = minute;
        }
        let loss = |end: usize| {
            let from = tunnel.ends.get(end)?;
            tunnel.loss.iter().find(|loss| loss.from == *from).map(|loss| loss.ratio)
        };
        let up = tunnel.up.map_or(NOTHING, u8::from);
        self.last = [scale::of_share(loss(0)), scale::of_share(loss(1)), up];
        let found = in_words(tunnel);
        if self.found.as_ref() == Some(&found) {
            return false;
        }
        let evidence = tunnel.mismatches.values().chain(&tunnel.evidence).next();
        let evidence = evidence.cloned().unwrap_or_else(Said::nothing);
        self.changes.push(now, found.clone(), evidence);
        self.found = Some(found);
        true
    }

    /// The minutes that have passed, oldest first.
    pub(crate) fn minutes(&self) -> impl Iterator<Item = TunnelMinute> {
        self.minutes.iter().map(|(minute, [there, back, up])| TunnelMinute {
            minute,
            loss: [there, back].map(scale::share),
            up: (up != NOTHING).then_some(up == 1),
        })
    }

    /// The last changes, oldest first.
    pub(crate) fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    pub(super) fn since(&self) -> Option<SystemTime> {
        self.changes.last()
    }
}

/// `up`, `down, mismatch of vni`, `half`
pub(crate) fn in_words(tunnel: &Tunnel) -> Said {
    let mut words = Vec::new();
    if tunnel.state != TunnelState::Paired {
        words.push(tunnel.state.said());
    }
    match tunnel.up {
        Some(true) => words.push(say!("up")),
        Some(false) => words.push(say!("down")),
        None if words.is_empty() => words.push(say!("not known")),
        None => {}
    }
    if !tunnel.mismatches.is_empty() {
        let fields = tunnel.mismatches.keys().map(|field| field.said());
        words.push(say!("mismatch of {fields}", fields => Said::joined(fields, Between::Comma)));
    }
    if !tunnel.small_ends.is_empty() {
        words.push(say!("a bridge drops large frames"));
    }
    Said::joined(words, Between::Comma)
}
