//! On which leg of its way a sick path is sick. A leg that another path crosses without harm is
//! cleared; where that clears all of them, none is.

use std::collections::{BTreeMap, BTreeSet};

use super::scene::{DrawnOverlay, PathLine, ordered};
use crate::{language::say, web::mark::Mark};

/// Paths by leg, a leg being two sites, smaller index first.
#[derive(Debug, Clone, Default)]
pub(super) struct Suspects {
    legs: BTreeMap<(usize, usize), LegPaths>,
}

/// The paths of one leg, by index.
#[derive(Debug, Clone, Default)]
pub(super) struct LegPaths {
    pub crossing: Vec<usize>,
    pub sick: Vec<usize>,
}

impl Suspects {
    pub(super) fn of(scene: &DrawnOverlay) -> Self {
        let ends = (scene.own(), scene.hub());
        let ways: Vec<_> = scene.paths.iter().map(|path| way(path, ends)).collect();
        let cleared = scene.paths.iter().zip(&ways).filter(|(path, _)| path.mark == Mark::Good);
        let cleared: BTreeSet<_> = cleared.flat_map(|(_, way)| way.iter().copied()).collect();
        let mut legs: BTreeMap<_, LegPaths> = BTreeMap::new();
        for (path, way) in ways.iter().enumerate() {
            let all_cleared = way.iter().all(|leg| cleared.contains(leg));
            for leg in way {
                let known = legs.entry(*leg).or_default();
                known.crossing.push(path);
                if scene.paths[path].mark != Mark::Good && (all_cleared || !cleared.contains(leg)) {
                    known.sick.push(path);
                }
            }
        }
        Self { legs }
    }

    /// The paths between two sites.
    pub(super) fn leg(&self, one: usize, other: usize) -> Option<&LegPaths> {
        self.legs.get(&ordered(one, other))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(usize, usize), &LegPaths)> {
        self.legs.iter()
    }
}

impl LegPaths {
    /// The worst mark, and what to say of it: a name where there is one, else a number.
    pub(super) fn mark_and_words(&self, scene: &DrawnOverlay) -> (Mark, String) {
        let of = |path: &usize| &scene.paths[*path];
        let Some(worst) = self.sick.iter().map(of).min_by_key(|path| path.mark) else {
            return match self.crossing.as_slice() {
                [one] => (Mark::Good, say!("{path}: passes", path = of(one).name).localized()),
                many => (Mark::Good, say!("{number} paths pass", number = many.len()).localized()),
            };
        };
        let alike = |path: &PathLine| path.word == worst.word;
        let in_short = |path: &PathLine| short(&path.word) == short(&worst.word);
        let all = self.sick.len();
        let text = match all {
            1 => say!("{name}: {what}", name = worst.name, what = worst.word),
            _ if self.sick.iter().map(of).all(alike) => say!("{all} paths: {what}", all, what = worst.word),
            _ if self.sick.iter().map(of).all(in_short) => {
                say!("{all} paths: {what}", all, what = short(&worst.word))
            }
            _ => say!("{all} paths, the worst: {what}", all, what = short(&worst.word)),
        };
        (worst.mark, text.localized())
    }
}

/// A verdict without its direction or reason.
pub(super) fn short(word: &str) -> &str {
    word.split([',', ':', '、', '（']).next().unwrap_or(word)
}

/// The legs that a path crosses; over the hub, or straight, where that is not known.
fn way(line: &PathLine, (own, hub): (Option<usize>, Option<usize>)) -> BTreeSet<(usize, usize)> {
    let Some(own) = own.filter(|own| *own != line.to) else { return BTreeSet::new() };
    if !line.legs.is_empty() {
        return line.legs.clone();
    }
    match hub {
        Some(hub) => [(own, hub), (hub, line.to)]
            .into_iter()
            .filter(|(one, other)| one != other)
            .map(|(one, other)| ordered(one, other))
            .collect(),
        None => BTreeSet::from([ordered(own, line.to)]),
    }
}
