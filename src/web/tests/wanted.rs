//! `POST /path/NAME`: who may have a path probed at once, from where, how often.

use super::*;
use crate::{
    model::{plan::ProbeNow, state::State},
    report::tests::healthy,
    web::Wanted,
};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

async fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> (String, String) {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n{headers}{FORM}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let mut stream = send(address, &request).await;
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("read");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// The body that the page's form sends.
fn form(page: &str) -> Option<String> {
    let (_, after) = page.split_once("name=\"proof\" value=\"")?;
    Some(format!("proof={}", after.split_once('"')?.0))
}

async fn serving(who: ProbeNow) -> (Server, State) {
    let pages = Pages { wanted: Wanted::new(watch::channel(who).1), ..stage::pages(healthy()) };
    let state = pages.state.clone();
    (server_of(pages).await, state)
}

#[tokio::test]
async fn the_form_of_the_page_has_its_path_probed_once() {
    let (server, state) = serving(ProbeNow::Restricted).await;
    let (_, page) = ask(server.address, "GET /path/rancher").await;
    let body = form(&page).expect("this machine may");
    let headers = "Origin: http://x\r\nSec-Fetch-Site: same-origin\r\n";
    let (head, _) = post(server.address, "/path/rancher", headers, &body).await;
    assert!(head.starts_with("HTTP/1.1 303 ") && head.contains("location: /path/rancher"), "{head}");
    assert_eq!(state.take_wanted(), ["rancher".into()]);
    let (_, page) = ask(server.address, "GET /path/rancher").await;
    assert!(page.contains("begins at once") && page.contains("disabled"), "{page}");
    let (head, words) = post(server.address, "/path/rancher", headers, &body).await;
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("retry-after: "), "{head}");
    assert!(words.contains("again in") && words.contains("href=\"/path/rancher\""), "{words}");
    assert_eq!(state.take_wanted(), []);
}

#[tokio::test]
async fn nobody_else_has_it_probed() {
    let (server, state) = serving(ProbeNow::Restricted).await;
    let (_, page) = ask(server.address, "GET /path/rancher").await;
    let right = form(&page).expect("this machine may");
    for (path, headers, body, status) in [
        ("/path/rancher", "Sec-Fetch-Site: cross-site\r\n", right.as_str(), "403"),
        ("/path/rancher", "Sec-Fetch-Site: same-site\r\n", &right, "403"),
        ("/path/rancher", "Origin: http://elsewhere\r\n", &right, "403"),
        ("/path/rancher", "Origin: null\r\n", &right, "403"),
        ("/path/rancher", "", "", "403"),
        ("/path/rancher", "", "proof=0123", "403"),
        ("/path/rancher", "", &"x".repeat(1000), "400"),
        ("/path/ranchr", "", &right, "404"),
        ("/path/a%2Fb%3Fc", "", &right, "404"),
        ("/path/%ff", "", &right, "404"),
        ("/tunnel/rancher", "", &right, "405"),
        ("/", "", &right, "405"),
    ] {
        let (head, _) = post(server.address, path, headers, body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {headers} {body}: {head}");
        assert_eq!(state.take_wanted(), [], "{path} {headers} {body}");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let (head, _) = ask(server.address, &format!("{method} /path/rancher")).await;
        assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("allow: GET, HEAD, POST"), "{head}");
    }
    let (_, near) = post(server.address, "/path/ranchr", "", &right).await;
    assert!(near.contains("href=\"/path/rancher\""), "{near}");
}

/// From an address that is not the usual one of this machine.
async fn from_elsewhere(address: SocketAddr, request: &str) -> (String, String) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.9:0".parse().expect("an address")).expect("bound");
    let mut stream = socket.connect(address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("read");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn the_setting_says_who_may() {
    let get = "GET /path/rancher HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let post =
        "POST /path/rancher HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nConnection: close\r\n\r\nproof=";
    for (who, offers, says, refuses) in [
        (ProbeNow::Never, false, false, "probe_now: never"),
        (ProbeNow::Restricted, false, true, "who had to log in"),
        (ProbeNow::Always, true, false, "older than this process"),
    ] {
        let (server, state) = serving(who).await;
        let (_, page) = from_elsewhere(server.address, get).await;
        assert_eq!(form(&page).is_some(), offers, "{who:?}");
        assert_eq!(page.contains("Probe now needs a login"), says, "{who:?}");
        let (head, words) = from_elsewhere(server.address, post).await;
        assert!(head.starts_with("HTTP/1.1 403 ") && words.contains(refuses), "{who:?}: {head} {words}");
        assert_eq!(state.take_wanted(), []);
    }
}

#[tokio::test]
async fn allowed_networks_make_a_reader_somebody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (_stop, stopped) = oneshot::channel::<()>();
    let networks =
        vec!["127.0.0.0/29".parse().expect("a network"), "127.0.0.8/29".parse().expect("a network")];
    let access = Access::new(watch::channel(networks).1, None);
    tokio::spawn(serve(vec![listener], stage::pages(healthy()), access, stopped));
    let get = "GET /path/rancher HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (_, page) = from_elsewhere(address, get).await;
    assert!(form(&page).is_some(), "{page}");
}

/// Whoever sends the head of a form and then nothing is answered, and holds up nobody.
#[tokio::test]
async fn half_a_form() {
    let (server, _) = serving(ProbeNow::Always).await;
    let half = format!("POST /path/rancher HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 90\r\n\r\nproof=");
    let mut stream = send(server.address, &half).await;
    let (head, _) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut start = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("in time").expect("read");
    assert_eq!(&start, b"HTTP/1.1 400");
}
