//! Settings of the C library's allocator.
//!
//! By default it gives each thread a heap of its own, up to eight per core, and raises its
//! threshold for separate mappings to the largest piece ever freed. Routers are read on threads
//! that come and go, and pages take several MiB, so memory that one thread freed was useless to the
//! next. Measured by `make soak`, ten minutes, 200 paths, 11 routers, an unoptimised build with
//! these settings given by its environment: 38 MiB grew to 49, and without them 78 to 171.

/// Number of heaps. The second is there so that a thread which reads does not wait for one that
/// renders.
#[cfg(target_env = "gnu")]
const HEAPS: i32 = 2;
/// Larger pieces, in bytes, are mapped separately and go back to the system when freed: malloc's
/// initial value, now fixed.
#[cfg(target_env = "gnu")]
const APART: i32 = 128 * 1024;

/// Applies the settings; must be called before there are other threads.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library's allocator is set up by a C function")]
pub fn set_up() {
    for (parameter, value) in
        [(libc::M_ARENA_MAX, HEAPS), (libc::M_MMAP_THRESHOLD, APART), (libc::M_TRIM_THRESHOLD, APART)]
    {
        // SAFETY: mallopt takes two numbers and touches no memory of ours, and no other thread runs
        // yet. A value that it refuses has no effect.
        unsafe { libc::mallopt(parameter, value) };
    }
}

/// Other C libraries have no such settings.
#[cfg(not(target_env = "gnu"))]
pub fn set_up() {}
