//! Server-sent events: what changes is announced, to many at little cost, and a watcher is no more
//! in anybody's way than any other idle client.

use futures_util::future::join_all;

use super::*;
use crate::{
    model::{observation::PathObservation, types::Verdict},
    overlay::fixture,
    report::tests::healthy,
};

struct Watcher {
    stream: TcpStream,
    read: String,
}

impl Watcher {
    async fn new(address: SocketAddr) -> Self {
        let stream = send(address, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n").await;
        Self { stream, read: String::new() }
    }

    /// The next revision that is announced.
    async fn next(&mut self) -> String {
        let reading = async {
            loop {
                if let Some((_, after)) = self.read.split_once("data: ")
                    && let Some((revision, rest)) = after.split_once('\n')
                {
                    let (revision, rest) = (revision.to_owned(), rest.to_owned());
                    self.read = rest;
                    return revision;
                }
                let mut bytes = [0; 4096];
                let count = self.stream.read(&mut bytes).await.expect("readable");
                assert!(count > 0, "ended: {}", self.read);
                self.read.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        };
        timeout(PATIENCE, reading).await.expect("in time")
    }
}

fn sick() -> PathObservation {
    let verdict = fixture::verdict(Verdict::Unreachable);
    PathObservation::clone(&fixture::path("rancher", "dc", verdict))
}

#[tokio::test]
async fn a_change_is_announced_and_the_page_shows_it() {
    let pages = stage::pages(healthy());
    let state = pages.state.clone();
    let server = server_of(pages).await;
    let mut watcher = Watcher::new(server.address).await;
    watcher.next().await;
    // The first look at the stage's state may count as a change itself.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (_, page) = ask(server.address, "GET /").await;
    assert!(page.contains("Nothing is wrong"), "{page}");
    state.put_path(sick());
    loop {
        let revision = watcher.next().await;
        let (_, page) = ask(server.address, "GET /").await;
        if page.contains("Something is wrong") {
            assert!(page.contains(&format!("data-revision=\"{revision}\"")), "{revision}");
            break;
        }
    }
}

#[tokio::test]
async fn two_hundred_watchers_share_what_is_printed() {
    let pages = stage::pages(healthy());
    let state = pages.state.clone();
    let server = server_of(pages).await;
    let mut watchers = Vec::new();
    for number in 0..200_u8 {
        // One peer may only have a share of the places: these come from eight.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(format!("127.0.1.{}:0", 1 + number % 8).parse().expect("an address")).expect("bound");
        let mut stream = socket.connect(server.address).await.expect("connected");
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
        watchers.push(Watcher { stream, read: String::new() });
    }
    for watcher in &mut watchers {
        watcher.next().await;
    }
    state.put_path(sick());
    for watcher in &mut watchers {
        watcher.next().await;
    }
    // All of them fetch the page at once: it is printed twice at most.
    let fetched = join_all((0..20).map(|_| ask(server.address, "GET /"))).await;
    let mut tags: Vec<_> = fetched.iter().map(|(head, _)| etag(head)).collect();
    tags.sort_unstable();
    tags.dedup();
    assert!(tags.len() <= 2, "{tags:?}");
    assert_eq!(state.present().paths[0].echo().requests, 0, "nothing was sent");
}

fn etag(head: &str) -> &str {
    head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag")
}

#[tokio::test]
async fn a_watcher_gives_way_and_ends_with_the_server() {
    let server = server_of(stage::pages(healthy())).await;
    let mut first = Watcher::new(server.address).await;
    first.next().await;
    // A peer's own watchers beyond its share give way to its next request.
    let mut others = Vec::new();
    for _ in 0..70 {
        others.push(Watcher::new(server.address).await);
    }
    let (head, _) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    drop(others);
    let mut last = Watcher::new(server.address).await;
    last.next().await;
    server.stop.send(()).expect("serving");
    timeout(PATIENCE, server.task).await.expect("in time").expect("no panic").expect("no error");
}

/// What becomes known of a path that is probed on request is announced, though no verdict changes.
#[tokio::test]
async fn what_was_asked_for_is_announced() {
    let pages = stage::pages(healthy());
    let (state, wanted) = (pages.state.clone(), pages.wanted.clone());
    let server = server_of(pages).await;
    let mut watcher = Watcher::new(server.address).await;
    watcher.next().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let present = state.present();
    let path = &present.paths[0];
    wanted.take_turn(&path.path, &path.counters, std::time::Instant::now()).expect("the first");
    state.want(path, std::time::SystemTime::now());
    for (sent, answered) in [(5, 4), (10, 9)] {
        path.counters.change_asked(|asked| {
            (asked.small.sent, asked.small.answered) = (sent, answered);
        });
        let words = format!("{answered} of {sent} small packets answered");
        loop {
            watcher.next().await;
            let (_, page) = ask(server.address, "GET /path/rancher").await;
            if page.contains(&words) {
                break;
            }
        }
    }
}

/// However much changes, and however often, there is one event a turn.
#[tokio::test]
async fn changes_of_one_turn_are_one_event() {
    let pages = stage::pages(healthy());
    let state = pages.state.clone();
    let server = server_of(pages).await;
    let mut watcher = Watcher::new(server.address).await;
    watcher.next().await;
    let began = std::time::Instant::now();
    let changing = tokio::spawn(async move {
        for turn in 0..300 {
            let path = if turn % 2 == 0 { sick() } else { PathObservation::clone(&healthy().paths[0]) };
            state.put_path(path);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut events = 0_u128;
    while !changing.is_finished() {
        if timeout(Duration::from_millis(300), watcher.next()).await.is_ok() {
            events += 1;
        }
    }
    // In tests a turn is a tenth of a second.
    let turns = began.elapsed().as_millis() / 100;
    assert!(events > 0 && events <= turns + 2, "{events} events in {turns} turns");
}
