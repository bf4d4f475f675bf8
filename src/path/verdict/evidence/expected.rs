//! Evidence on the expected MTU of each direction, and on what the target adds to it.

use super::super::facts::Facts;
use crate::{
    language::{Said, say},
    model::{observation::ExpectedMtu, types::Bytes},
};

impl Facts {
    /// The expected MTU of each direction.
    pub(super) fn expected_in_words(&self, forward: &ExpectedMtu, reverse: &ExpectedMtu) -> Vec<Said> {
        let (bytes, rule) = (forward.bytes, forward.rule.clone());
        if forward.bytes == reverse.bytes {
            let mut said = vec![say!("expected MTU {bytes} bytes ({rule})", bytes, rule => rule)];
            said.extend(self.remembered_in_words(forward.bytes));
            return said;
        }
        let mut said = vec![
            say!(
                "expected MTU to the target {bytes} bytes ({rule}: TCP sends no more)",
                bytes,
                rule => rule
            ),
            say!(
                "expected MTU from the target {bytes} bytes ({rule})",
                bytes = reverse.bytes,
                rule => reverse.rule.clone()
            ),
        ];
        if let Some(size) = self.whole_beyond() {
            said.push(say!("reverse: replies of {size} bytes come back whole", size));
        } else if self.reverse_hole().is_some() {
            said.push(say!(
                "if the MSS of our own SYN is clamped on the way too, which only the target can see, TCP \
                 avoids this hole and other protocols do not: set `expected_mtu` if that is intended"
            ));
        }
        said
    }

    /// The path MTU that the target remembers, or may remember.
    fn remembered_in_words(&self, expected: Bytes) -> Vec<Said> {
        let kept = self.kept_to_by_target();
        let remembered = kept.or(self.target.remembered().filter(|mtu| *mtu < expected));
        let remembered = remembered.map(|mtu| {
            say!(
                "the target's MSS allows {mtu} bytes, exactly the size that is signalled on the way: the \
                 target remembers that path MTU, so it is not taken as expected",
                mtu
            )
        });
        let cuts = kept.map(|mtu| {
            say!(
                "reverse: the target itself fragments larger replies to {mtu} bytes, which it can only \
                 have learned from a signal: the way back is signalled too",
                mtu
            )
        });
        let without_df = kept.and_then(|mtu| self.without_df_in_words(mtu));
        let as_named = self.sizes.names_less().filter(|_| self.target.is_as_named()).map(|named| {
            say!(
                "larger replies arrive in fragments of exactly {named} bytes: because of the target's own \
                 interface or route, or a path MTU that it remembers; a router that fragments them would \
                 look the same",
                named
            )
        });
        [remembered, cuts, without_df, as_named].into_iter().flatten().collect()
    }

    /// What happens on the reverse path to packets without DF, if the target is known to receive
    /// signals for those with DF.
    fn without_df_in_words(&self, kept: Bytes) -> Option<Said> {
        let hole = self.fragments.hole.filter(|hole| hole.exact && hole.answered == kept)?;
        Some(say!(
            "reverse: replies of {size} bytes without DF vanish ({pairs} pairs, {lost}), those of {kept} \
             arrive: if the tunnel sends the larger ones in outer fragments, these are lost",
            size = hole.size,
            pairs = hole.proof.counted,
            lost => hole.proof.lost_in_words(),
            kept
        ))
    }
}
