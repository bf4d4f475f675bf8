//! Which mutant is switched on, and which places the run has reached. Only in the copy that
//! `make mutants` builds.

use std::{
    env,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// The number in the environment variable `MUTANT`; without it nothing is changed.
static ON: LazyLock<Option<usize>> = LazyLock::new(|| env::var("MUTANT").ok()?.parse().ok());

/// Mutants that would have changed what was computed since [`take_met`] was called.
static MET: [AtomicBool; 4096] = [const { AtomicBool::new(false) }; 4096];

fn meet(mutant: usize) {
    if !MET[mutant].load(Relaxed) {
        MET[mutant].store(true, Relaxed);
    }
}

/// Whether this mutant is switched on.
pub fn on(mutant: usize) -> bool {
    meet(mutant);
    *ON == Some(mutant)
}

/// The mutants met since the last call.
pub fn take_met() -> Vec<usize> {
    (0..MET.len()).filter(|mutant| MET[*mutant].swap(false, Relaxed)).collect()
}

/// The right value, or that of the mutant that is switched on; mutants are numbered from `first`.
fn pick(first: usize, right: bool, wrong: &[bool]) -> bool {
    let mut said = right;
    for (mutant, wrong) in (first..).zip(wrong) {
        if *wrong != right && on(mutant) {
            said = *wrong;
        }
    }
    said
}

/// `a < b`; mutants `<=` and `>=`.
pub fn less<A: PartialOrd<B> + ?Sized, B: ?Sized>(first: usize, a: &A, b: &B) -> bool {
    pick(first, a < b, &[a <= b, a >= b])
}

/// `a <= b`; mutants `<` and `>`.
pub fn at_most<A: PartialOrd<B> + ?Sized, B: ?Sized>(first: usize, a: &A, b: &B) -> bool {
    pick(first, a <= b, &[a < b, a > b])
}

/// `a > b`; mutants `>=` and `<=`.
pub fn more<A: PartialOrd<B> + ?Sized, B: ?Sized>(first: usize, a: &A, b: &B) -> bool {
    pick(first, a > b, &[a >= b, a <= b])
}

/// `a >= b`; mutants `>` and `<`.
pub fn at_least<A: PartialOrd<B> + ?Sized, B: ?Sized>(first: usize, a: &A, b: &B) -> bool {
    pick(first, a >= b, &[a > b, a < b])
}

/// `a == b`; mutant `!=`.
pub fn equal<A: PartialEq<B> + ?Sized, B: ?Sized>(first: usize, a: &A, b: &B) -> bool {
    pick(first, a == b, &[a != b])
}

/// `a != b`; mutant `==`.
pub fn unequal<A: PartialEq<B> + ?Sized, B: ?Sized>(first: usize, a: &A, b: &B) -> bool {
    pick(first, a != b, &[a == b])
}

/// `a && b`; both are evaluated, as neither has side effects. Mutant `||`.
pub fn both(first: usize, a: bool, b: bool) -> bool {
    pick(first, a && b, &[a || b])
}

/// `a || b`; mutant `&&`.
pub fn either(first: usize, a: bool, b: bool) -> bool {
    pick(first, a || b, &[a && b])
}

/// The return value of a function; mutants `true` and `false`.
pub fn of_bool(first: usize, body: impl FnOnce() -> bool) -> bool {
    pick(first, body(), &[true, false])
}

/// The return value of a function; mutant `None`.
pub fn of_option<T>(mutant: usize, body: impl FnOnce() -> Option<T>) -> Option<T> {
    body().filter(|_| !on(mutant))
}
