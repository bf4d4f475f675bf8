use serde_json::Value;

use super::*;
use crate::{report, report::tests::article, web::page::tests::view};

fn json(content: &Content) -> Value {
    serde_json::from_str(&content.text).expect("JSON")
}

/// What `check --format=json` prints is what `/api/v1/overlay` answers, and each part of it is what
/// the part's own address answers.
#[test]
fn one_shape_with_check() {
    let view = view(article());
    let report = report::json(&view.present);
    assert_eq!(json(&overlay(&view)), report);
    let all = AskedPaths::read("");
    assert_eq!(json(&paths(&view, &all))["paths"], report["paths"]);
    assert_eq!(json(&path(&view, "rancher")), report["paths"][0]);
    assert_eq!(json(&router(&view, "dc")), report["routers"][0]);
    let of_tunnel = json(&tunnel(&view, "dc/vxlan01~site-a/vxlan01"));
    for (field, value) in report["tunnels"][0].as_object().expect("fields") {
        assert_eq!(of_tunnel[field], *value, "{field}");
    }
    assert_eq!(of_tunnel["minutes"].as_array().map(Vec::len), Some(3));
    let past = json(&history(&view, "rancher"));
    assert_eq!(past["minutes"].as_array().map(Vec::len), Some(3));
    assert_eq!(past["minutes"][0]["verdict"], "blackhole");
    assert_eq!(past["changes"][0]["what"], "blackhole forward and reverse");
}

#[test]
fn a_part_of_the_paths() {
    let view = view(article());
    let names = |query: &str| -> (u64, Vec<String>) {
        let answer = json(&paths(&view, &AskedPaths::read(query)));
        let name = |path: &Value| path["path"].as_str().expect("a name").to_owned();
        (
            answer["total"].as_u64().expect("a number"),
            answer["paths"].as_array().expect("a list").iter().map(name).collect(),
        )
    };
    assert_eq!(names("offset=1"), (2, vec!["node-b".to_owned()]));
    assert_eq!(names("limit=1"), (2, vec!["rancher".to_owned()]));
    assert_eq!(names("verdict=ok"), (0, vec![]));
    assert_eq!(names("offset=1000000000&limit=9"), (2, vec![]));
    for bad in
        ["offset=-1", "limit=", "verdict=fine", "limit=1001", "offset=99999999999999999999", "the=other"]
    {
        let refused = paths(&view, &AskedPaths::read(bad));
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{bad}");
        assert!(
            json(&refused)["error"]
                .as_str()
                .is_some_and(|why| bad.starts_with(why.split(' ').next().unwrap_or("?")))
        );
    }
}

#[test]
fn what_is_not_there_lists_what_is_near() {
    let view = view(article());
    for answer in [path(&view, "ranchr"), history(&view, "ranchr")] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(json(&answer)["near"][0], "rancher");
    }
    assert_eq!(json(&tunnel(&view, "dc/vxlan1~site-a/vxlan01"))["near"][0], "dc/vxlan01~site-a/vxlan01");
    assert_eq!(json(&router(&view, "DC"))["near"][0], "dc");
    assert!(json(&router(&view, ""))["near"].as_array().is_some_and(Vec::is_empty));
}

/// Each answer has exactly the fields that the document describes.
#[test]
fn the_document_describes_the_answers() {
    let document = openapi::document();
    let view = view(article());
    let schemas = &document["components"]["schemas"];
    for (schema, answer) in [
        ("Report", overlay(&view)),
        ("Paths", paths(&view, &AskedPaths::read(""))),
        ("PathReport", path(&view, "rancher")),
        ("HistoryReport", history(&view, "rancher")),
        ("TunnelWithHistory", tunnel(&view, "dc/vxlan01~site-a/vxlan01")),
        ("RouterReport", router(&view, "dc")),
        ("Missing", path(&view, "x")),
    ] {
        let described =
            schemas[schema]["properties"].as_object().unwrap_or_else(|| panic!("{schema}: {schemas}"));
        let answered = json(&answer);
        let described: Vec<_> = described.keys().collect();
        let mut fields: Vec<_> = answered.as_object().expect("fields").keys().collect();
        fields.sort();
        let mut sorted = described.clone();
        sorted.sort();
        assert_eq!(fields, sorted, "{schema}");
    }
    let paths: Vec<_> = document["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths.len(), 6, "{paths:?}");
}
