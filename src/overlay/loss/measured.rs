//! A loss by counters, in words.

use crate::{
    language::{Said, say},
    model::types::Vni,
};

pub(super) struct MeasuredLoss {
    pub(super) ratio: f64,
    pub(super) bound: f64,
    pub(super) sent: f64,
    pub(super) seconds: f64,
}

impl MeasuredLoss {
    /// In words; `vni` is the network whose packets were counted, if not all of a device were.
    pub(super) fn said(&self, vni: Option<Vni>) -> Said {
        let [percent, bound] = [self.ratio, self.bound].map(|share| format!("{:.2}", share * 100.0));
        let [sent, seconds] = [self.sent, self.seconds].map(|number| format!("{number:.0}"));
        match vni {
            None => say!(
                "{percent} % of {sent} packets in {seconds} s, give or take {bound} % for reads that are not \
                 simultaneous",
                percent,
                sent,
                seconds,
                bound
            ),
            Some(vni) => say!(
                "{percent} % of {sent} packets of vni {vni} in {seconds} s, give or take {bound} % for reads that \
                 are not simultaneous",
                percent,
                sent,
                vni,
                seconds,
                bound
            ),
        }
    }
}
