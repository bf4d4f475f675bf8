//! Counts how much work an algorithm does on router data, in tests only: a stopwatch would measure
//! the machine instead of the algorithm.

/// Counts one step of a loop.
#[inline]
pub(crate) fn step() {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// The same iterator, counting each item as a step.
pub(crate) fn each<I: IntoIterator>(items: I) -> impl Iterator<Item = I::Item> {
    items.into_iter().inspect(|_| step())
}

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Returns the number of steps that `work` takes.
#[cfg(test)]
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    STEPS.with(|steps| steps.set(0));
    let done = work();
    (done, STEPS.with(std::cell::Cell::get))
}
