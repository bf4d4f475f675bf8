//! The buckets of a native histogram as Prometheus wants them: spans of neighbours, and each count
//! as its difference to the one before.

use super::messages::SpanMessage;

/// A gap of so many empty buckets costs less than another span.
const GAP: i32 = 2;

/// The spans of buckets with ascending indices, and the differences.
pub(super) fn spans(buckets: &[(i32, u64)]) -> (Vec<SpanMessage>, Vec<i64>) {
    let (mut spans, mut deltas) = (Vec::<(i32, u32)>::new(), Vec::new());
    let (mut next, mut former) = (0, 0);
    for (index, count) in buckets {
        let gap = index - next;
        match spans.last_mut() {
            Some((_, length)) if gap <= GAP => {
                for _ in 0..gap {
                    deltas.push(-std::mem::take(&mut former));
                    *length += 1;
                }
                *length += 1;
            }
            _ => spans.push((gap, 1)),
        }
        // Counts are far below 2^63.
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        deltas.push(count - former);
        (next, former) = (index + 1, count);
    }
    // Without an observation, an empty span says that this is a native histogram.
    if spans.is_empty() {
        spans.push((0, 0));
    }
    let message = |(offset, length)| SpanMessage { offset: Some(offset), length: Some(length) };
    (spans.into_iter().map(message).collect(), deltas)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Prometheus makes of them.
    fn read(spans: &[SpanMessage], deltas: &[i64]) -> Vec<(i32, i64)> {
        let (mut index, mut count, mut deltas) = (0, 0, deltas.iter());
        let mut buckets = Vec::new();
        for span in spans {
            index += span.offset();
            for _ in 0..span.length() {
                count += deltas.next().expect("a difference for each bucket");
                buckets.push((index, count));
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        buckets.retain(|(_, count)| *count != 0);
        buckets
    }

    #[test]
    fn neighbours_are_one_span() {
        let (made, deltas) = spans(&[(-3, 5), (-2, 1), (1, 4), (5, 2)]);
        let made: Vec<_> = made.iter().map(|span| (span.offset(), span.length())).collect();
        assert_eq!(made, [(-3, 5), (3, 1)]);
        assert_eq!(deltas, [5, -4, -1, 0, 4, -2]);
        let (none, deltas) = spans(&[]);
        assert_eq!((none[0].offset(), none[0].length(), deltas.len()), (0, 0, 0));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(buckets in prop::collection::btree_map(-160..25_i32, 1..1000_u64, 0..40)) {
            let buckets: Vec<_> = buckets.into_iter().collect();
            let (made, deltas) = spans(&buckets);
            let expected: Vec<_> = buckets.iter().map(|(index, count)| (*index, i64::try_from(*count).expect("small"))).collect();
            prop_assert_eq!(read(&made, &deltas), expected);
        }
    }
}
