//! The pages in a real browser: Debian's Chromium, driven by scripts/browser/look.mjs, which says
//! what it checks. The servers are real, their states are those of [`super::stage`].

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::Command,
};

use super::{server_of, stage};
use crate::{
    model::{
        observation::AskedCount,
        state::{Present, State},
    },
    report::tests::{article, healthy},
};

/// Where screenshots go, if they are wanted (`make pictures`).
const PICTURES: &str = "PAGE_PICTURES";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and node: `make test-browser`"]
async fn every_page_of_every_state() {
    let mut servers = Vec::new();
    let mut states = Vec::new();
    for (name, present) in stage::all() {
        let check = crate::report::text(&present, 200, crate::report::Paint::Plain);
        let pages = stage::pages(present);
        let state = pages.state.clone();
        let server = server_of(pages).await;
        states.push(json!({ "name": name, "url": format!("http://{}", server.address), "check": check }));
        servers.push((server, state));
    }
    // One that changes while the browser looks.
    let pages = stage::pages(healthy());
    let live = pages.state.clone();
    let changing = server_of(pages).await;
    let probing = tokio::spawn(answer_all_that_is_asked(live.clone()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/browser");
    let asked = json!({
        "states": states,
        "live": format!("http://{}", changing.address),
        "pictures": std::env::var(PICTURES).ok(),
    });
    let mut node = Command::new("node")
        .arg(folder.join("look.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node");
    let mut told = node.stdin.take().expect("its input");
    told.write_all(asked.to_string().as_bytes()).await.expect("written");
    drop(told);
    let mut lines = BufReader::new(node.stdout.take().expect("its output")).lines();
    while let Some(line) = lines.next_line().await.expect("readable") {
        println!("{line}");
        match line.as_str() {
            "CHANGE" => put(&live, &article()),
            "CHANGE BACK" => put(&live, &healthy()),
            _ => {}
        }
    }
    probing.abort();
    assert!(node.wait().await.expect("it ends").success(), "see above what the browser found");
}

/// schemathesis asks for everything that the API describes, and for much that it does not.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: `make test-browser`"]
async fn the_api_keeps_to_its_description() {
    let server = server_of(stage::pages(article())).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/api-check/api-check.sh");
    let url = format!("http://{}/api/v1/openapi.json", server.address);
    let ended = Command::new(script).arg(url).status().await.expect("it runs");
    assert!(ended.success(), "see above what schemathesis found");
}

/// In place of probers, whose every packet is answered.
async fn answer_all_that_is_asked(state: State) {
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        for name in state.take_wanted() {
            let present = state.present();
            let path = present.paths.iter().find(|path| path.path == name).expect("a path");
            for sent in 1..=10 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                path.counters.change_asked(|asked| {
                    asked.small = AskedCount { sent, answered: sent, ..AskedCount::default() };
                    (asked.large, asked.size) = (asked.small, Some(1500));
                    asked.rtt_sum = Duration::from_millis(2) * sent;
                    asked.is_over = sent == 10;
                });
            }
        }
    }
}

fn put(state: &State, present: &Present) {
    for reading in &present.routers {
        state.put_router((**reading).clone());
    }
    for path in &present.paths {
        state.put_path((**path).clone());
    }
    state.put_overlay((*present.overlay).clone());
}
