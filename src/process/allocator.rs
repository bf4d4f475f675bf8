//! How the C library's allocator keeps memory.
//!
//! Left alone it gives each thread a heap of its own, up to eight a core, and raises its own threshold for what it maps apart
//! with the largest piece that was ever freed. Routers are read on threads that come and go, and pages are of several MiB:
//! memory that one thread freed was no use to the next. Measured by `make soak`, ten minutes, 200 paths, 11 routers, an unoptimised build with these
//! settings given by its environment: 38 MiB that became 49, and without them 78 that became 171.

/// Heaps. A second one, so that a thread which reads does not wait for one that renders.
#[cfg(target_env = "gnu")]
const HEAPS: i32 = 2;
/// What is larger is mapped apart, and goes back to the system when it is freed, in bytes: the initial value of malloc, now fixed.
#[cfg(target_env = "gnu")]
const APART: i32 = 128 * 1024;

/// Sets it up; to be called before there are other threads.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library's allocator is set up by a C function")]
pub fn set_up() {
    for (parameter, value) in
        [(libc::M_ARENA_MAX, HEAPS), (libc::M_MMAP_THRESHOLD, APART), (libc::M_TRIM_THRESHOLD, APART)]
    {
        // SAFETY: mallopt takes two numbers and touches nothing of ours; no other thread runs yet. A value that it does
        // not take changes nothing.
        unsafe { libc::mallopt(parameter, value) };
    }
}

/// Other C libraries have no such settings.
#[cfg(not(target_env = "gnu"))]
pub fn set_up() {}
