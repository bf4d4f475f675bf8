//! Very many paths: what the first page weighs on the wire is counted; what it costs is printed
//! beside a floor, as a stopwatch would measure the machine.

use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::web::{
    answer::Printed,
    page::{self, TablePages},
    view::View,
};

/// Budget of the first page with all that it needs, in bytes.
const FIRST_PAGE: usize = 100_000;

/// The bytes that a browser receives for `/`, its style, script and icon.
async fn on_the_wire(address: SocketAddr) -> usize {
    let mut all = 0;
    for page in ["/", "/assets/style.css", "/assets/page.js", "/assets/icon.svg"] {
        let request =
            format!("GET {page} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
        let mut stream = send(address, &request).await;
        let mut bytes = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("in time").expect("read");
        assert!(bytes.starts_with(b"HTTP/1.1 200 "), "{page}: {}", String::from_utf8_lossy(&bytes[..99]));
        all += bytes.len();
    }
    all
}

/// Milliseconds of CPU that this thread takes.
fn cpu<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.try_into().expect("a time"), time.tv_nsec.try_into().expect("a time"))
    };
    let began = now();
    let done = work();
    (now().saturating_sub(began).as_secs_f64() * 1000.0, done)
}

#[tokio::test]
async fn the_first_page_of_ten_thousand_paths() {
    let mut sizes = Vec::new();
    for (spokes, paths) in [(20, 100), (500, 1000), (500, 10_000)] {
        let pages = stage::pages(stage::star(spokes, paths));
        let view = View::of(&pages);
        let (_, first) = cpu(|| page::overlay(&view, &TablePages::read("")));
        let (making, content) = cpu(|| page::overlay(&view, &TablePages::read("")));
        let text = content.text.len();
        assert_eq!(first.text.len(), text, "the same each time");
        let (packing, _) = cpu(|| Printed::new(content));
        println!(
            "{paths} paths: {text} bytes made in {making:.1} ms of CPU, {packing:.1} ms more to compress them"
        );
        let server = server_of(pages).await;
        let wire = on_the_wire(server.address).await;
        println!("{paths} paths: {wire} bytes on the wire");
        assert!(wire < FIRST_PAGE, "{paths} paths: {wire} bytes on the wire");
        sizes.push(wire);
    }
    // Ten times the paths, and not a quarter more to fetch: tables have pages, sites fold.
    assert!(sizes[2] < sizes[1] + sizes[1] / 4, "{sizes:?}");
}

#[tokio::test]
async fn every_one_of_ten_thousand_paths_is_found() {
    let server = server_of(stage::pages(stage::star(500, 10_000))).await;
    let (_, page) = ask(server.address, "GET /").await;
    assert!(page.contains("Page 1 of 100 (10000)") && page.contains(" more sites"), "{page}");
    let (_, last) = ask(server.address, "GET /?paths=100").await;
    assert!(last.contains("Page 100 of 100 (10000)") && last.contains("target-9999"), "{last}");
    // The folded sites have nothing wrong.
    assert!(page.contains("nothing wrong"), "{page}");
    let (head, one) = ask(server.address, "GET /path/target-9999").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && one.contains("target-9999"), "{head}");
    let (head, near) = ask(server.address, "GET /path/target-99999").await;
    assert!(head.starts_with("HTTP/1.1 404 ") && near.contains("href=\"/path/target-9999\""), "{near}");
}
