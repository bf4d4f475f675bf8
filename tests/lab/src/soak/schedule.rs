//! What goes wrong when: data derived from a seed, the same each time.

use std::time::Duration;

use fastrand::Rng;

/// Number of paths whose target answers. Paths are numbered: these first, then [`MUTE`], then
/// [`ABSENT`].
pub const LIVE: usize = 100;
/// Number of paths whose target has the address but answers nothing.
pub const MUTE: usize = 60;
/// Number of paths to addresses that nobody has: not even ARP is answered.
pub const ABSENT: usize = 40;
/// All paths.
pub const PATHS: usize = LIVE + MUTE + ABSENT;
/// Routers that fail by the script, beside those that always fail in one way.
pub const FICKLE: usize = 4;

/// Time until all paths have their first verdict.
pub const WARM_UP: Duration = Duration::from_secs(75);
/// How long a fault lasts.
pub const FAULT: Duration = Duration::from_secs(50);
/// Time from the end of one fault to the next.
pub const REST: Duration = Duration::from_secs(40);
/// Loss affects the verdict as long as echoes count, which is 300 s.
pub const REST_AFTER_LOSS: Duration = Duration::from_secs(340);

/// A fault of some paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The target falls silent: `unreachable`.
    Silent,
    /// Packets over 1400 bytes to the target are lost: `blackhole`.
    Hole,
    /// A quarter of the packets to the target are lost: `lossy`.
    Loss,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its start, since the start of the run.
    pub begin: Duration,
    /// Until when.
    pub end: Duration,
    /// The faults, each with the paths it affects.
    pub wrong: Vec<(Wrong, Vec<usize>)>,
}

/// How a fickle router treats its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It works.
    Good,
    /// Endless output.
    Endless,
    /// 100 kB of noise.
    Garbage,
    /// It ends in the middle of the output.
    Dies,
    /// It ends without output.
    Silent,
    /// It prints nothing and does not end.
    Hangs,
    /// It prints a byte now and then.
    Drips,
    /// The command is not permitted.
    Refuses,
    /// Five thousand interfaces with odd names.
    Crowd,
}

impl Mode {
    /// All failures, in the order of the script.
    pub const FAILING: [Self; 8] = [
        Self::Endless,
        Self::Garbage,
        Self::Dies,
        Self::Silent,
        Self::Hangs,
        Self::Drips,
        Self::Refuses,
        Self::Crowd,
    ];

    /// Its name in the router's script.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Endless => "endless",
            Self::Garbage => "garbage",
            Self::Dies => "dies",
            Self::Silent => "silent",
            Self::Hangs => "hangs",
            Self::Drips => "drips",
            Self::Refuses => "refuses",
            Self::Crowd => "crowd",
        }
    }
}

/// A configuration to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The one it started with.
    Plain,
    /// With one more path, and another interval for one router.
    Guest,
    /// Not a configuration at all.
    Broken,
}

/// What the script does besides faults of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A fickle router changes.
    Router(usize, Mode),
    /// The configuration changes.
    Reload(Reload),
    /// Forged packets start or stop.
    Flood(bool),
}

/// The whole script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// One after the other, with a rest in between.
    pub faults: Vec<Fault>,
    /// In order of time.
    pub acts: Vec<(Duration, Act)>,
}

impl Schedule {
    /// The script for a seed and a duration; each fault ends within it, followed by a rest.
    pub fn new(seed: u64, length: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self { faults: faults(&mut rng, length), acts: acts(&mut rng, length) }
    }

    /// The fault of a path at a time, and since when; without one `None`, and since when.
    pub fn state(&self, path: usize, at: Duration) -> (Option<Wrong>, Duration) {
        let mut state = (None, Duration::ZERO);
        for fault in self.faults.iter().filter(|fault| fault.begin <= at) {
            let of_path = fault.wrong.iter().find(|(_, paths)| paths.contains(&path));
            if let Some((wrong, _)) = of_path {
                state = if at < fault.end { (Some(*wrong), fault.begin) } else { (None, fault.end) };
            }
        }
        state
    }

    /// The fault of a path before its present state.
    pub fn before(&self, path: usize, at: Duration) -> Option<Wrong> {
        let (_, since) = self.state(path, at);
        self.state(path, since.saturating_sub(Duration::from_millis(1))).0
    }
}

fn faults(rng: &mut Rng, length: Duration) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut begin = WARM_UP;
    for turn in 0.. {
        let with_loss = turn % 6 == 5;
        let end = begin + FAULT;
        let rest = if with_loss { REST_AFTER_LOSS } else { REST };
        if end + rest > length {
            break;
        }
        let mut live: Vec<usize> = (0..LIVE).collect();
        rng.shuffle(&mut live);
        let mut take = |count: usize| live.split_off(live.len() - count);
        let mut wrong = vec![(Wrong::Silent, take(8)), (Wrong::Hole, take(8))];
        if with_loss {
            wrong.push((Wrong::Loss, take(4)));
        }
        faults.push(Fault { begin, end, wrong });
        begin = end + rest;
    }
    faults
}

fn acts(rng: &mut Rng, length: Duration) -> Vec<(Duration, Act)> {
    let mut acts = Vec::new();
    let mut every = |from: u64, seconds: u64, mut act: Box<dyn FnMut(u64) -> Vec<Act>>| {
        for (turn, at) in (from..length.as_secs()).step_by(usize::try_from(seconds).unwrap_or(1)).enumerate()
        {
            acts.extend(act(turn as u64).into_iter().map(|act| (Duration::from_secs(at), act)));
        }
    };
    let mut router = rng.fork();
    every(
        8,
        7,
        Box::new(move |turn| {
            let fickle = router.usize(..FICKLE);
            let failing = Mode::FAILING[router.usize(..Mode::FAILING.len())];
            vec![Act::Router(fickle, if turn % 3 == 2 { Mode::Good } else { failing })]
        }),
    );
    every(
        20,
        11,
        Box::new(|turn| {
            let order = [Reload::Guest, Reload::Broken, Reload::Plain, Reload::Broken];
            vec![Act::Reload(order[usize::try_from(turn % 4).unwrap_or(0)])]
        }),
    );
    every(30, 40, Box::new(|_| vec![Act::Flood(true)]));
    every(50, 40, Box::new(|_| vec![Act::Flood(false)]));
    acts.sort_by_key(|(at, _)| *at);
    acts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(30);

    #[test]
    fn one_seed_makes_one_script_and_another_another() {
        assert_eq!(Schedule::new(1, LONG), Schedule::new(1, LONG));
        assert_ne!(Schedule::new(1, LONG), Schedule::new(2, LONG));
    }

    #[test]
    fn the_long_script_has_every_fault_every_mode_and_an_end_of_each() {
        let script = Schedule::new(1, LONG);
        let wrong =
            |wanted| script.faults.iter().any(|fault| fault.wrong.iter().any(|(is, _)| *is == wanted));
        assert!(wrong(Wrong::Silent) && wrong(Wrong::Hole) && wrong(Wrong::Loss));
        for mode in Mode::FAILING {
            let has = |act: &(Duration, Act)| matches!(act.1, Act::Router(_, is) if is == mode);
            assert!(script.acts.iter().any(has), "{mode:?}");
        }
        for fault in &script.faults {
            let mut paths: Vec<usize> = fault.wrong.iter().flat_map(|(_, paths)| paths.clone()).collect();
            let count = paths.len();
            paths.sort_unstable();
            paths.dedup();
            assert_eq!(paths.len(), count, "one fault a path");
            assert!(paths.iter().all(|path| *path < LIVE) && fault.end + REST <= LONG);
        }
    }

    #[test]
    fn the_state_of_a_path_follows_its_faults() {
        let script = Schedule::new(1, Duration::from_mins(3));
        let fault = &script.faults[0];
        let (wrong, paths) = &fault.wrong[0];
        let soon = Duration::from_secs(1);
        assert_eq!(script.state(paths[0], fault.begin.saturating_sub(soon)), (None, Duration::ZERO));
        assert_eq!(script.state(paths[0], fault.begin + soon), (Some(*wrong), fault.begin));
        assert_eq!(script.state(paths[0], fault.end + soon), (None, fault.end));
        assert_eq!(script.before(paths[0], fault.end + soon), Some(*wrong));
        assert_eq!(script.before(paths[0], fault.begin + soon), None);
    }
}
