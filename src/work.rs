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

/// How often this thread has allocated memory, and how many bytes it has allocated and not freed.
#[cfg(test)]
pub(crate) fn heap() -> (u64, i64) {
    (counted_heap::ALLOCATIONS.with(std::cell::Cell::get), counted_heap::HELD.with(std::cell::Cell::get))
}

/// The system's allocator, with a count of what this thread allocates: tests count work by it.
#[cfg(test)]
mod counted_heap {
    use std::{
        alloc::{GlobalAlloc, Layout, System},
        cell::Cell,
    };

    thread_local! {
        pub(super) static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
        pub(super) static HELD: Cell<i64> = const { Cell::new(0) };
    }

    struct Counting;

    fn held(more: bool, layout: Layout) {
        let size = i64::try_from(layout.size()).unwrap_or(i64::MAX);
        // A thread that ends has no counters any more, and nobody asks for them.
        let _ = HELD.try_with(|held| held.set(held.get().wrapping_add(if more { size } else { -size })));
    }

    // SAFETY: every call goes to the system's allocator with the caller's own arguments; counting
    // touches none of the memory and allocates none.
    #[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
            held(true, layout);
            // SAFETY: the caller's guarantees apply to the system's allocator too.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
            held(false, layout);
            // SAFETY: as above; `memory` came from the system's allocator.
            unsafe { System.dealloc(memory, layout) }
        }
    }

    #[global_allocator]
    static COUNTING: Counting = Counting;
}
