//! The memory of a scrape: at most eight times what the router printed, whatever that is. The same
//! holds for printing its metrics and the size of the output, above what the metrics of no router
//! take.

#![allow(
    clippy::too_many_lines,
    reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use vxlan_exporter::{
    model::{
        plan::ReadLimits,
        snapshot::{RouterReading, RouterSnapshot, ScrapeError},
        state::State,
        types::Dropped,
    },
    router::{bounds, method::ip_json::Reader, script::Failed, shell::Shell},
    web::{
        SelfInfo,
        metrics::{self, ScrapeForm},
    },
};

/// The system's allocator, with a count of allocated memory.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator with the caller's own arguments; counting
// touches none of the memory.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's guarantees apply to the system's allocator too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above; `memory` came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// A router whose commands print this much.
#[derive(Default)]
struct Router {
    link: String,
    fdb: String,
    vni: String,
    version: String,
}

impl Router {
    fn bytes(&self) -> usize {
        self.link.len() + self.fdb.len() + self.vni.len() + self.version.len()
    }
}

impl Shell for Router {
    fn exec(&mut self, script: &str, _: Instant) -> Result<String, ScrapeError> {
        let marker = script.lines().next().and_then(|line| line.strip_prefix("M=")).expect("a marker");
        let mut printed = String::with_capacity(self.bytes() + 4096);
        let asked = |name: &str| script.contains(&format!("s {name} "));
        for (name, text) in
            [("link", &self.link), ("fdb", &self.fdb), ("vni", &self.vni), ("vyos", &self.version)]
        {
            if asked(name) {
                let _ = write!(printed, "{marker} begin {name}\n{text}\n{marker} rc=0\n");
            }
        }
        let _ = writeln!(printed, "{marker} end");
        Ok(printed)
    }
}

/// One scrape: its result, its peak memory as a multiple of the output, and what it left out.
fn scrape(mut router: Router) -> (Result<RouterSnapshot, Failed>, f64, Dropped) {
    let bytes = router.bytes();
    let deadline = Instant::now() + Duration::from_mins(10);
    let ((read, dropped), most) = taken(|| {
        bounds::within(ReadLimits::default(), deadline, || Reader::default().scrape(&mut router, deadline))
    });
    (read, times(most, bytes), dropped)
}

/// The peak memory of `work` in bytes, and its result.
fn taken<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let done = work();
    (done, MOST.load(Ordering::Relaxed) - before)
}

#[allow(clippy::cast_precision_loss)]
fn times(memory: usize, bytes: usize) -> f64 {
    memory as f64 / bytes as f64
}

/// Prints the metrics of a router that was read, or those of none: their length and the peak memory,
/// in bytes.
fn print(form: ScrapeForm, snapshot: Option<RouterSnapshot>) -> (usize, usize) {
    let state = State::default();
    if let Some(snapshot) = snapshot {
        let mut reading = RouterReading::new("dc".into(), "dc".into(), Vec::new());
        reading.current = Some(Arc::new(snapshot));
        state.put_router(reading);
    }
    let (text, most) = taken(|| metrics::render_as(form, &state.present(), &SelfInfo::default()));
    (text.expect("metrics").len(), most)
}

fn list(count: usize, element: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..count).map(element).collect::<Vec<_>>().join(","))
}

fn vxlan(number: usize) -> String {
    format!(
        r#"{{"ifindex":{number},"ifname":"v{number}","flags":["UP"],"mtu":1500,"link_type":"ether","linkinfo":{{"info_kind":"vxlan","info_data":{{"id":{number},"remote":"10.0.0.1","port":8472}}}},"stats64":{{"rx":{{"bytes":0,"packets":0}},"tx":{{"bytes":0,"packets":0}}}}}}"#
    )
}

/// A single test, as the memory of others would be counted with it.
#[test]
fn a_scrape_takes_at_most_eight_times_its_output() {
    let one = || list(1, vxlan);
    let address = |n: usize| format!("10.{}.{}.{}", (n >> 16) & 255, (n >> 8) & 255, n & 255);
    let entry = |n: usize| {
        format!(
            r#"{{"mac":"aa:bb:00:00:{:02x}:{:02x}","ifname":"v0","dst":"{}","state":""}}"#,
            (n >> 8) & 255,
            n & 255,
            address(n)
        )
    };
    let filter = |ranges: String| format!(r#"[{{"ifname":"v0","vnis":{ranges}}}]"#);
    let shapes = [
        ("50,000 links", Router { link: list(50_000, vxlan), fdb: "[]".into(), ..Router::default() }),
        (
            "tiny links",
            Router {
                link: list(500_000, |n| format!(r#"{{"ifname":"{n}"}}"#)),
                fdb: "[]".into(),
                ..Router::default()
            },
        ),
        ("100,000 entries", Router { link: one(), fdb: list(100_000, entry), ..Router::default() }),
        (
            "1 MiB of ranges",
            Router {
                link: one(),
                fdb: "[]".into(),
                vni: filter(list(35_000, |n| format!(r#"{{"vni":{},"vniEnd":{}}}"#, n * 4, 16_777_215))),
                ..Router::default()
            },
        ),
        (
            "5 MiB of ranges",
            Router {
                link: one(),
                fdb: "[]".into(),
                vni: filter(list(250_000, |n| format!(r#"{{"vni":{},"vniEnd":{}}}"#, n * 60, n * 60 + 9))),
                ..Router::default()
            },
        ),
        (
            "VNIs with counters",
            Router {
                link: one(),
                fdb: "[]".into(),
                vni: filter(list(200_000, |n| format!(r#"{{"vni":{n},"stats":{{"rx_pkts":1}}}}"#))),
                ..Router::default()
            },
        ),
        (
            "one link of small objects",
            Router {
                link: format!(
                    r#"[{{"ifname":"v0","addr_info":{}}}]"#,
                    list(400_000, |_| r#"{"a":1}"#.to_owned())
                ),
                fdb: "[]".into(),
                ..Router::default()
            },
        ),
        (
            "a version of 12 MiB",
            Router {
                link: one(),
                fdb: "[]".into(),
                version: format!("Version: {}", "x".repeat(12 << 20)),
                ..Router::default()
            },
        ),
    ];
    // The exporter's own metrics, for which `/proc` is read into buffers of a fixed size.
    let own = ScrapeForm::ALL.map(|form| print(form, None).1);
    for (what, router) in shapes {
        let bytes = router.bytes();
        let (read, share, dropped) = scrape(router);
        println!("{what}: {bytes} bytes, {share:.2} times that, left out {dropped:?}");
        assert!(share <= 8.0, "{what}: {share:.2} times the output of {bytes} bytes");
        let snapshot = read.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(snapshot.links.len() <= 1000 && snapshot.fdb.len() <= 100_000, "{what}");
        assert!(snapshot.version.as_deref().is_none_or(|version| version.len() <= 256), "{what}");
        for (form, own) in ScrapeForm::ALL.into_iter().zip(own) {
            let (bytes, most) = print(form, Some(snapshot.clone()));
            let share = times(most.saturating_sub(own), bytes);
            println!("{what}, {form:?}: {bytes} bytes of metrics, {share:.2} times that and {own}");
            assert!(share <= 8.0, "{what}, {form:?}: {share:.2} times {bytes} bytes, and {own}");
        }
    }
}
