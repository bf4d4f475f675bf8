//! Evidence on the expected MTU of each direction, and on what the target adds to it.

use super::super::facts::Facts;
use crate::model::{observation::ExpectedMtu, types::Bytes};

impl Facts {
    /// The expected MTU of each direction.
    pub(super) fn expected_in_words(&self, forward: &ExpectedMtu, reverse: &ExpectedMtu) -> Vec<String> {
        if forward.bytes == reverse.bytes {
            let mut said = vec![format!("expected MTU {} bytes ({})", forward.bytes, forward.rule)];
            said.extend(self.remembered_in_words(forward.bytes));
            return said;
        }
        let mut said = vec![
            format!(
                "expected MTU to the target {} bytes ({}: TCP sends no more)",
                forward.bytes, forward.rule
            ),
            format!("expected MTU from the target {} bytes ({})", reverse.bytes, reverse.rule),
        ];
        if let Some(size) = self.whole_beyond() {
            said.push(format!("reverse: replies of {size} bytes come back whole"));
        } else if self.reverse_hole().is_some() {
            said.push(
                "if the MSS of our own SYN is clamped on the way too, which only the target can see, TCP \
                 avoids this hole and other protocols do not: set `expected_mtu` if that is intended"
                    .to_owned(),
            );
        }
        said
    }

    /// The path MTU that the target remembers, or may remember.
    fn remembered_in_words(&self, expected: Bytes) -> Vec<String> {
        let kept = self.kept_to_by_target();
        let remembered = kept.or(self.target.remembered().filter(|mtu| *mtu < expected));
        let remembered = remembered.map(|mtu| {
            format!(
                "the target's MSS allows {mtu} bytes, exactly the size that is signalled on the way: the \
                 target remembers that path MTU, so it is not taken as expected"
            )
        });
        let cuts = kept.map(|mtu| {
            format!(
                "reverse: the target itself fragments larger replies to {mtu} bytes, which it can only \
                 have learned from a signal: the way back is signalled too"
            )
        });
        let without_df = kept.and_then(|mtu| self.without_df_in_words(mtu));
        let as_named = self.sizes.names_less().filter(|_| self.target.is_as_named()).map(|named| {
            format!(
                "larger replies arrive in fragments of exactly {named} bytes: because of the target's own \
                 interface or route, or a path MTU that it remembers; a router that fragments them would \
                 look the same"
            )
        });
        [remembered, cuts, without_df, as_named].into_iter().flatten().collect()
    }

    /// What happens on the reverse path to packets without DF, if the target is known to receive
    /// signals for those with DF.
    fn without_df_in_words(&self, kept: Bytes) -> Option<String> {
        let hole = self.fragments.hole.filter(|hole| hole.exact && hole.answered == kept)?;
        Some(format!(
            "reverse: replies of {} bytes without DF vanish ({} pairs, {}), those of {kept} arrive: if the \
             tunnel sends the larger ones in outer fragments, these are lost",
            hole.size,
            hole.proof.counted,
            hole.proof.lost_in_words()
        ))
    }
}
