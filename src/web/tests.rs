//! Over a real socket: what is answered, who is refused, and that no client can hold up the others.

mod browser;
mod large;
mod live;
mod odd;
mod stage;
mod wanted;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use super::{Access, HEAD_TIMEOUT, Lifecycle, Pages, Wish, fixture, listen, mount::Mount, serve};

/// Only a limit on failure: whatever waits for a client here would wait forever.
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

async fn server() -> Server {
    server_with(Lifecycle::default()).await
}

async fn server_with(lifecycle: Lifecycle) -> Server {
    server_of(Pages { state: fixture::state(), lifecycle, ..Pages::default() }).await
}

async fn server_of(pages: Pages) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let access = Access::new(watch::channel(Vec::new()).1, None);
    let task = tokio::spawn(serve(vec![listener], pages, access, stopped));
    Server { address, stop, task }
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(text.as_bytes()).await.expect("written");
    stream
}

/// Sends a request; returns status line with headers, and body.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream =
        send(address, &format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("read");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn pages() {
    let server = server().await;
    let (head, body) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert!(body.contains("vxlan_router_up{router=\"dc\",site=\"dc\"} 1\n"), "{body}");
    assert!(body.contains("\nprocess_threads "), "{body}");

    let (head, body) = ask(server.address, "GET /?a=b").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-type: text/html"), "{head}");
    assert!(body.contains("odd &quot;name&quot; &amp; &lt;b&gt;") && !body.contains("<b>"), "{body}");

    for (path, body) in
        [("/-/healthy", "vxlan_exporter is healthy\n"), ("/-/ready", "vxlan_exporter is ready\n")]
    {
        let (head, got) = ask(server.address, &format!("GET {path}")).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(got, body);
    }
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let server = server().await;
    // What stays the same from one request to the next.
    let (_, page) = ask(server.address, "GET /assets/style.css").await;
    let (head, body) = ask(server.address, "HEAD /assets/style.css").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}", page.len())), "{head}");
    assert_eq!(body, "");
}

#[tokio::test]
async fn metrics_come_as_the_client_wants_them() {
    let server = server().await;
    for (headers, form, coding) in [
        ("", "text/plain; version=0.0.4; charset=utf-8", None),
        (
            "Accept: nonsense;q=\r\nAccept-Encoding: gzip;q=0\r\n",
            "text/plain; version=0.0.4; charset=utf-8",
            None,
        ),
        (
            "Accept: application/openmetrics-text\r\nAccept-Encoding: gzip, deflate\r\n",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Some("gzip"),
        ),
        (
            "Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited\r\n\
             Accept-Encoding: gzip;q=0.5, zstd\r\n",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            Some("zstd"),
        ),
    ] {
        let request = format!("HEAD /metrics HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n");
        let mut head = String::new();
        let mut stream = send(server.address, &request).await;
        timeout(PATIENCE, stream.read_to_string(&mut head)).await.expect("in time").expect("read");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(head.contains(&format!("content-type: {form}\r\n")), "{headers}: {head}");
        let encoded = coding.map(|name| format!("content-encoding: {name}\r\n"));
        assert_eq!(encoded.is_some(), head.contains("content-encoding"), "{headers}: {head}");
        assert!(encoded.is_none_or(|line| head.contains(&line)), "{headers}: {head}");
        assert!(head.contains("vary: Accept, Accept-Encoding\r\n"), "{head}");
        assert!(!head.contains("content-length: 0\r\n") && head.contains("content-length: "), "{head}");
    }
}

#[tokio::test]
async fn a_page_is_in_the_language_that_its_reader_wants() {
    let server = server().await;
    for (address, wanted, language) in [
        ("/", "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("/", "en-US,en;q=0.9,ja;q=0.8", "en"),
        ("/?lang=ja", "en", "ja"),
        ("/?paths=2&lang=en", "ja", "en"),
        ("/?lang=xx", "ja", "ja"),
        ("/path/nothing", "ja", "ja"),
        ("/nothing", "ja", "ja"),
        ("/runbooks", "fr", "en"),
    ] {
        let request = format!(
            "GET {address} HTTP/1.1\r\nHost: x\r\nAccept-Language: {wanted}\r\nConnection: close\r\n\r\n"
        );
        let mut text = String::new();
        let mut stream = send(server.address, &request).await;
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("read");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-language: {language}\r\n")), "{address} {wanted}: {head}");
        assert!(head.contains("vary: Accept-Encoding, Accept-Language"), "{head}");
        assert!(body.contains(&format!("<html lang=\"{language}\">")), "{address} {wanted}: {body}");
    }
    let api =
        "GET /api/v1/overlay?lang=ja HTTP/1.1\r\nHost: x\r\nAccept-Language: ja\r\nConnection: close\r\n\r\n";
    let mut text = String::new();
    let mut stream = send(server.address, api).await;
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("read");
    assert!(!text.contains("content-language") && !text.contains("ブラックホール"), "{text}");
}

#[tokio::test]
async fn refusals() {
    let server = server().await;
    let (head, _) = ask(server.address, "GET /metric").await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    for page in ["/-/reload", "/-/quit"] {
        let (head, body) = ask(server.address, &format!("POST {page}")).await;
        assert!(
            head.starts_with("HTTP/1.1 403 ") && body.contains("--web.enable-lifecycle"),
            "{head} {body}"
        );
        let (head, _) = ask(server.address, &format!("GET {page}")).await;
        assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("allow: POST, PUT"), "{head}");
    }
    for method in ["POST", "DELETE", "OPTIONS"] {
        let (head, _) = ask(server.address, &format!("{method} /metrics")).await;
        assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("allow: GET, HEAD"), "{head}");
    }
    let (head, _) = ask(server.address, "nonsense").await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
}

#[tokio::test]
async fn wishes_are_handed_on_and_answered() {
    let (wishes, mut inbox) = mpsc::channel(1);
    let server = server_with(Lifecycle::enabled(wishes)).await;
    let mut outcomes = [Ok("in use"), Err("line 3: no")].into_iter();
    let granting = tokio::spawn(async move {
        while let Some(Wish::Reload(answer)) = inbox.recv().await {
            let outcome = outcomes.next().expect("two reloads");
            answer.send(outcome.map(str::to_owned).map_err(str::to_owned)).expect("waiting");
        }
    });
    let (head, body) = ask(server.address, "POST /-/reload").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && body == "in use\n", "{head} {body}");
    let (head, body) = ask(server.address, "PUT /-/reload").await;
    assert!(head.starts_with("HTTP/1.1 500 ") && body.contains("line 3: no"), "{head} {body}");
    let (head, body) = ask(server.address, "POST /-/quit").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && body == "stopping\n", "{head} {body}");
    granting.await.expect("it ends with the wish to quit");
    let (head, _) = ask(server.address, "POST /-/reload").await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
}

#[tokio::test]
async fn slow_and_mute_clients_hold_up_nobody() {
    let server = server().await;
    let mute = TcpStream::connect(server.address).await.expect("connected");
    let half = send(server.address, "GET /metrics HTTP/1.1\r\nHost:").await;
    // Requests much and reads nothing.
    let deaf = send(server.address, &"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500)).await;
    // The client that never reads is still there: waiting for it would never end.
    let (head, _) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    drop((mute, half, deaf));
}

/// One peer's share is 64: more of its connections displace each other, and nobody waits until the
/// silent ones time out.
#[tokio::test]
async fn a_full_house_has_a_place_for_the_next() {
    let server = server().await;
    let mut mute = Vec::new();
    for _ in 0..400 {
        mute.push(TcpStream::connect(server.address).await.expect("connected"));
    }
    let (head, body) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let count = |name: &str| -> u32 {
        let line = body.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim().parse().expect(line)
    };
    let turned_away = "vxlan_exporter_web_connections_turned_away_total{reason=\"place_needed\"}";
    assert!(count("vxlan_exporter_web_connections ") <= 64 && count(turned_away) > 0, "{body}");
    for client in mute.iter_mut().rev().take(10) {
        let read = timeout(HEAD_TIMEOUT + PATIENCE, client.read(&mut [0])).await.expect("sent away");
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}

#[tokio::test]
async fn shutdown_waits_for_nobody() {
    let server = server().await;
    let idle = TcpStream::connect(server.address).await.expect("connected");
    let deaf = send(server.address, &"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop.send(()).expect("serving");
    timeout(PATIENCE, server.task).await.expect("in time").expect("no panic").expect("no error");
    assert!(TcpStream::connect(server.address).await.is_err(), "still listening");
    drop((idle, deaf));
}

#[tokio::test]
async fn listening() {
    let opened = |text: String| async move { listen(&[text.parse().expect("an address")]).await };
    let every = opened(":0".to_owned()).await.expect("a socket");
    let port = every[0].local_addr().expect("an address").port();
    let taken = opened(format!(":{port}")).await.expect_err("taken");
    let text = format!("{taken:#}");
    assert!(text.contains(&format!("cannot listen on :{port}")) && text.contains("in use"), "{text}");
    TcpStream::connect(("127.0.0.1", port)).await.expect("IPv4 reaches it too");
    let one = opened("127.0.0.1:0".to_owned()).await.expect("a socket");
    assert!(one[0].local_addr().expect("an address").ip().is_loopback());
}

/// Everything is below the prefix, at each of the addresses, and links say so.
#[tokio::test]
async fn several_addresses_and_a_prefix() {
    let (prefix, telemetry) = ("/vxlan".parse().expect("a prefix"), "/prom".parse().expect("a path"));
    let mount = Mount::new(Some(telemetry), Some(prefix), None);
    let shown = watch::Sender::new(Arc::from("site: a\n"));
    let config = Some(shown.subscribe());
    let listen_at = ["127.0.0.1:0", "[::1]:0"].map(|text| text.parse().expect("an address"));
    let listeners = listen(&listen_at).await.expect("sockets");
    let addresses: Vec<_> = listeners.iter().map(|one| one.local_addr().expect("an address")).collect();
    let pages = Pages { state: fixture::state(), mount, config, ..Pages::default() };
    let (stop, stopped) = oneshot::channel::<()>();
    let access = Access::new(watch::channel(Vec::new()).1, None);
    let task = tokio::spawn(serve(listeners, pages, access, stopped));
    for address in addresses {
        for (path, status, words) in [
            ("/vxlan/prom", 200, "vxlan_router_up{router=\"dc\",site=\"dc\"} 1\n"),
            ("/vxlan/", 200, "<a class=\"home\" href=\"/vxlan/\">"),
            ("/vxlan/", 200, "<a href=\"/vxlan/prom\">Metrics</a>"),
            ("/vxlan/", 200, "\"/vxlan/assets/"),
            ("/vxlan/-/healthy", 200, "vxlan_exporter is healthy\n"),
            ("/vxlan/config", 200, "site: a\n"),
            ("/vxlan/metrics", 404, ""),
            ("/metrics", 302, "the pages are below /vxlan/\n"),
            ("/", 302, ""),
        ] {
            let (head, body) = ask(address, &format!("GET {path}")).await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status} ")) && body.contains(words),
                "{path}: {head}\n{body}"
            );
            assert_eq!(head.contains("location: /vxlan/"), status == 302, "{head}");
            assert!(!body.contains("=\"/assets"), "{body}");
        }
    }
    stop.send(()).expect("serving");
    timeout(PATIENCE, task).await.expect("in time").expect("no panic").expect("no error");
}

/// Names with what means something in an address, and those that are near them.
#[tokio::test]
async fn awkward_names_are_found_and_what_is_near_them() {
    let server = server_of(stage::pages(stage::hostile())).await;
    let awkward = "/path/a%2Fb%3Fc%3Dd%252Fe%23f";
    let (head, page) = ask(server.address, &format!("GET {awkward}")).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && page.contains("a/b?c=d%2Fe#f"), "{head} {page}");
    for near in ["a%2Fb%3Fc", "a/b", "a/b?c=d", "a%2Fb%3Fc%3Dd%2Fe", "A%2FB%3FC%3DD%252FE%23F"] {
        let (head, page) = ask(server.address, &format!("GET /path/{near}")).await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{near}: {head}");
        assert!(page.contains(&format!("href=\"{awkward}\"")), "{near}: {page}");
        let name = near.split('?').next().expect("a name").replace('/', "%2F");
        let (head, body) = ask(server.address, &format!("GET /api/v1/paths/{name}")).await;
        assert!(head.starts_with("HTTP/1.1 404 ") && body.contains("a/b?c=d%2Fe#f"), "{name}: {head} {body}");
    }
    for nowhere in ["%ff", "%00", "..%2f..%2fetc%2fpasswd", &"x".repeat(9000)] {
        let (head, _) = ask(server.address, &format!("GET /path/{nowhere}")).await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{nowhere}: {head}");
    }
}
