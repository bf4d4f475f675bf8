//! When each path is visited next, so that a turn of the loop touches only paths that are due or
//! were answered.

use std::cmp::Reverse;

use priority_queue::PriorityQueue;

use crate::path::probe::Moment;

/// The next visit of each path, the most overdue first.
#[derive(Debug, Default)]
pub(super) struct Wheel(PriorityQueue<usize, Reverse<(Moment, usize)>>);

impl Wheel {
    /// Visits `path` at that time, whatever was planned before.
    pub(crate) fn plan(&mut self, path: usize, at: Moment) {
        self.0.push(path, Reverse((at, path)));
    }

    /// Visits `path` in the next turn: something has happened to it.
    pub(crate) fn touch(&mut self, path: usize) {
        self.plan(path, Moment::ZERO);
    }

    /// Never visits a path again for which `is_kept` is false.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(usize) -> bool) {
        self.0.retain(|path, _| is_kept(*path));
    }

    /// When the first path is due.
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.0.peek().map(|(_, Reverse((at, _)))| *at)
    }

    /// Moves at most `most` paths that are due at `now` to `due`, most overdue first. Each must be
    /// planned again.
    pub(crate) fn take_due(&mut self, now: Moment, most: usize, due: &mut Vec<usize>) {
        due.clear();
        while due.len() < most && self.next_at().is_some_and(|at| at <= now) {
            due.extend(self.0.pop().map(|(path, _)| path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn take_due(wheel: &mut Wheel, now: Moment, most: usize) -> Vec<usize> {
        let mut due = Vec::new();
        wheel.take_due(now, most, &mut due);
        due
    }

    #[test]
    fn only_what_is_due_is_visited_the_most_overdue_first() {
        let mut wheel = Wheel::default();
        for (path, at) in [(1, 30), (2, 10), (3, 20), (4, 31)] {
            wheel.plan(path, MS * at);
        }
        wheel.plan(3, MS * 5);
        assert_eq!(wheel.next_at(), Some(MS * 5));
        assert_eq!(take_due(&mut wheel, MS * 30, 9), [3, 2, 1]);
        assert_eq!(wheel.next_at(), Some(MS * 31));
        assert!(take_due(&mut wheel, MS * 30, 9).is_empty(), "what was taken must be planned again");
        wheel.touch(4);
        wheel.touch(1);
        assert_eq!(take_due(&mut wheel, MS, 1), [1], "the others wait for the next turn");
        assert_eq!(take_due(&mut wheel, MS, 1), [4]);
    }

    #[test]
    fn a_path_that_is_gone_is_not_visited() {
        let mut wheel = Wheel::default();
        wheel.plan(1, MS);
        wheel.plan(2, MS);
        wheel.keep(|path| path == 2);
        assert_eq!(take_due(&mut wheel, MS, 9), [2]);
        assert_eq!(wheel.next_at(), None);
    }

    /// Visits a path costs, while all is well, do not depend on how many other paths there are.
    #[test]
    fn visits_per_path_are_the_same_for_a_hundred_paths_and_for_two_thousand() {
        let visits = |paths: usize| {
            let mut wheel = Wheel::default();
            for path in 0..paths {
                wheel.touch(path);
            }
            let mut visits = 0_usize;
            for turn in 0..2500 {
                let now = MS * 4 * turn;
                for path in take_due(&mut wheel, now, usize::MAX) {
                    visits += 1;
                    wheel.plan(path, now + MS * 200);
                }
            }
            100 * visits / paths
        };
        let (few, many) = (visits(100), visits(2000));
        assert!(few.abs_diff(many) <= few / 10 && few <= 6000, "{few} and {many} in a hundred paths");
    }
}
