//! Which request gets which page.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::{Path, State, rejection::PathRejection},
    routing::{any, get},
};
use hyper::{
    HeaderMap, Method, StatusCode, Uri,
    header::{ACCEPT_LANGUAGE, ALLOW, HeaderValue, LOCATION, RETRY_AFTER},
};
use tokio::{sync::watch, time::timeout};

use super::{
    HEAD_TIMEOUT, Pages, SelfInfo,
    answer::{Content, PLAIN_TEXT, PageResponse, Printed, answer, scrape},
    api, assets,
    format::{ContentCoding, ScrapeForm},
    live::LiveRevisions,
    on_demand, page,
    view::{View, address},
    wanted::{May, NotNow, Restricted},
};
use crate::language::{Choice, choice, speaking};

/// Longest body of a form, bytes.
const LONGEST_FORM: usize = 256;

type Shared = State<Arc<Pages>>;
type Name = Result<Path<String>, PathRejection>;

/// All pages.
pub(super) fn router(pages: Pages) -> Router {
    let telemetry = pages.mount.telemetry().to_owned();
    Router::new()
        .route("/", get(overlay))
        .route("/path/{*name}", get(path).post(probe_now))
        .route("/tunnel/{*name}", get(tunnel))
        .route("/router/{*name}", get(router_page))
        .route("/runbooks", get(runbooks))
        .route("/runbooks/{*name}", get(runbook))
        .route("/events", get(events))
        .route("/assets/{name}", get(asset))
        .route("/api/v1/openapi.json", get(api_document))
        .route("/api/v1/overlay", get(api_overlay))
        .route("/api/v1/paths", get(api_paths))
        .route("/api/v1/paths/{name}", get(api_path))
        .route("/api/v1/paths/{name}/history", get(api_history))
        .route("/api/v1/tunnels/{*name}", get(api_tunnel))
        .route("/api/v1/routers/{*name}", get(api_router))
        .route(&telemetry, get(metrics))
        .route("/config", get(config))
        .route("/probe", get(probe))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/-/reload", any(lifecycle))
        .route("/-/quit", any(lifecycle))
        .fallback(not_found)
        .method_not_allowed_fallback(only_reading)
        .with_state(Arc::new(pages))
}

/// The language that a reader wants.
fn language_of(uri: &Uri, headers: &HeaderMap) -> Choice {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    choice::of_request(uri.query().unwrap_or_default(), accepted.unwrap_or_default())
}

/// Prints a page for people, in the language that its reader wants.
async fn print(
    pages: &Arc<Pages>,
    (name, uri): (&str, &Uri),
    headers: &HeaderMap,
    page: impl FnOnce(&View) -> Content + Send + 'static,
) -> PageResponse {
    let choice = language_of(uri, headers);
    let name = format!("{name} {choice:?}");
    print_as_it_is(pages, &name, headers, move |view| speaking(choice, || page(view))).await
}

/// Prints a page, once for all who ask for it at the same time.
async fn print_as_it_is(
    pages: &Arc<Pages>,
    name: &str,
    headers: &HeaderMap,
    page: impl FnOnce(&View) -> Content + Send + 'static,
) -> PageResponse {
    // Pages show evidence.
    pages.state.in_words().await;
    let source = Arc::clone(pages);
    match pages.printing.page(name, move || page(&View::of(&source)).linked(&source.mount)).await {
        Some(printed) => printed.answer(headers),
        None => answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, "printing this page has failed\n"),
    }
}

async fn overlay(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    let asked = page::TablePages::read(uri.query().unwrap_or_default());
    print(&pages, (&format!("/ {asked:?}"), &uri), &headers, move |view| page::overlay(view, &asked)).await
}

/// A name that cannot be decoded is one that nothing has.
fn decoded(name: Name, uri: &Uri) -> String {
    name.map_or_else(|_| uri.path().to_owned(), |Path(name)| name)
}

/// The page of one thing.
async fn one(
    pages: &Arc<Pages>,
    name: Name,
    uri: &Uri,
    headers: &HeaderMap,
    page: impl FnOnce(&View, &str) -> Content + Send + 'static,
) -> PageResponse {
    let name = decoded(name, uri);
    print(pages, (uri.path(), uri), headers, move |view| page(view, &name)).await
}

/// The same for machines.
async fn api_one(
    pages: &Arc<Pages>,
    name: Name,
    uri: &Uri,
    headers: &HeaderMap,
    page: impl FnOnce(&View, &str) -> Content + Send + 'static,
) -> PageResponse {
    let name = decoded(name, uri);
    print_as_it_is(pages, uri.path(), headers, move |view| page(view, &name)).await
}

async fn path(
    State(pages): Shared,
    Extension(reader): Extension<Restricted>,
    name: Name,
    uri: Uri,
    headers: HeaderMap,
) -> PageResponse {
    let may = pages.wanted.may(reader);
    let name = name.map_or_else(|_| uri.path().to_owned(), |Path(name)| name);
    // Readers who may ask get another page than those who may not.
    let title = format!("{} {may:?}", uri.path());
    print(&pages, (&title, &uri), &headers, move |view| page::path(view, &name, &may)).await
}

/// Has a path probed at once, and shows its page.
async fn probe_now(
    State(pages): Shared,
    Extension(reader): Extension<Restricted>,
    name: Name,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> PageResponse {
    let name = name.map_or_else(|_| uri.path().to_owned(), |Path(name)| name);
    let Ok(Ok(body)) = timeout(HEAD_TIMEOUT, to_bytes(body, LONGEST_FORM)).await else {
        return answer(StatusCode::BAD_REQUEST, PLAIN_TEXT, "too long, or it did not come in time\n");
    };
    let present = pages.state.present();
    let path = present.paths.iter().find(|path| path.path.as_str() == name);
    let outcome = pages.wanted.admits(reader, &headers, &body).and_then(|()| match path {
        Some(path) => pages.wanted.take_turn(&path.path, &path.counters, Instant::now()),
        None => Ok(()),
    });
    match (outcome, path) {
        (Ok(()), Some(path)) => {
            pages.state.want(path, SystemTime::now());
            tracing::info!(path = name, "probed now, as a reader of its page has asked");
            see_other(&pages.mount.link(&speaking(language_of(&uri, &headers), || address("path", &name))))
        }
        (Ok(()), None) => {
            print(&pages, (uri.path(), &uri), &headers, move |view| page::path(view, &name, &May::Nobody))
                .await
        }
        (Err(refusal), _) => {
            let content = speaking(language_of(&uri, &headers), || {
                page::refused(pages.self_info.version, &name, refusal)
            });
            let mut response = Printed::new(content.linked(&pages.mount)).answer(&headers);
            if let NotNow::TooSoon(wait) = refusal {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            response
        }
    }
}

fn see_other(page: &str) -> PageResponse {
    let mut response = answer(StatusCode::SEE_OTHER, PLAIN_TEXT, "");
    if let Ok(page) = HeaderValue::from_str(page) {
        response.headers_mut().insert(LOCATION, page);
    }
    response
}

async fn tunnel(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    one(&pages, name, &uri, &headers, page::tunnel).await
}

async fn router_page(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    one(&pages, name, &uri, &headers, page::router).await
}

async fn runbook(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    one(&pages, name, &uri, &headers, page::runbook).await
}

async fn runbooks(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    print(&pages, (uri.path(), &uri), &headers, page::runbooks).await
}

async fn api_document(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    print_as_it_is(&pages, uri.path(), &headers, |_| api::openapi()).await
}

async fn api_overlay(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    print_as_it_is(&pages, uri.path(), &headers, api::overlay).await
}

async fn api_paths(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    let asked = api::AskedPaths::read(uri.query().unwrap_or_default());
    print_as_it_is(&pages, &format!("{} {asked:?}", uri.path()), &headers, move |view| {
        api::paths(view, &asked)
    })
    .await
}

async fn api_path(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    api_one(&pages, name, &uri, &headers, api::path).await
}

async fn api_history(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    api_one(&pages, name, &uri, &headers, api::history).await
}

async fn api_tunnel(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    api_one(&pages, name, &uri, &headers, api::tunnel).await
}

async fn api_router(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    api_one(&pages, name, &uri, &headers, api::router).await
}

async fn events(State(pages): Shared, Extension(stopped): Extension<watch::Receiver<()>>) -> PageResponse {
    LiveRevisions::answer(&pages, stopped)
}

async fn asset(State(pages): Shared, name: Name, uri: Uri, headers: HeaderMap) -> PageResponse {
    let known = name.ok().and_then(|Path(name)| assets::find(&name));
    match known {
        Some((content_type, text)) => {
            let content =
                Content { status: StatusCode::OK, kind: content_type, text: text.to_owned(), language: None };
            print_as_it_is(&pages, uri.path(), &headers, move |_| content).await
        }
        None => not_found(State(pages), uri, headers).await,
    }
}

async fn metrics(State(pages): Shared, headers: HeaderMap) -> PageResponse {
    let (form, coding) = (ScrapeForm::wanted_by(&headers), ContentCoding::wanted_by(&headers));
    match pages.printing.metrics(&pages.state, &pages.self_info, (form, coding)).await {
        Ok(text) => scrape(form, coding, text),
        Err(error) => {
            tracing::error!(error, "cannot print the metrics");
            answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, format!("{error}\n"))
        }
    }
}

/// The configuration in use, as the peers show it.
async fn config(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    let Some(text) = pages.config.as_ref().map(|text| Arc::clone(&text.borrow())) else {
        return not_found(State(pages), uri, headers).await;
    };
    answer(StatusCode::OK, PLAIN_TEXT, text.to_string())
}

async fn probe(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    on_demand::respond(&pages.on_demand, &uri, &headers).await
}

async fn healthy(State(pages): Shared) -> PageResponse {
    health("healthy", &pages.self_info)
}

/// Everything it serves is there from the start, so it need not wait for anything.
async fn ready(State(pages): Shared) -> PageResponse {
    health("ready", &pages.self_info)
}

/// Whether all parts of the exporter run and make progress.
fn health(word: &str, process: &SelfInfo) -> PageResponse {
    match process.trouble() {
        None => answer(StatusCode::OK, PLAIN_TEXT, format!("vxlan_exporter is {word}\n")),
        Some(trouble) => {
            let text = format!("vxlan_exporter is not {word}: {trouble}\n");
            answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, text)
        }
    }
}

async fn lifecycle(State(pages): Shared, method: Method, uri: Uri) -> PageResponse {
    pages.lifecycle.respond(&method, uri.path()).await
}

async fn not_found(State(pages): Shared, uri: Uri, headers: HeaderMap) -> PageResponse {
    let path = uri.path().to_owned();
    // Each unknown address would be a page of its own: nobody shares them, but they are small.
    if path.starts_with("/api/") {
        return Printed::new(api::no_such_address()).answer(&headers);
    }
    let choice = language_of(&uri, &headers);
    let content =
        speaking(choice, || page::not_found(&pages.live.revision(), pages.self_info.version, &path));
    Printed::new(content.linked(&pages.mount)).answer(&headers)
}

async fn only_reading(uri: Uri) -> PageResponse {
    let (words, methods) = if uri.path().starts_with("/path/") {
        ("only GET, HEAD and POST\n", "GET, HEAD, POST")
    } else {
        ("only GET and HEAD\n", "GET, HEAD")
    };
    let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, PLAIN_TEXT, words);
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    refusal
}
