//! How a dashboard is built: what Grafana 9.1 to 12 accept, what fits a laptop screen, and colours
//! that everybody can tell apart.

use std::collections::BTreeSet;

use serde_json::Value;

use lab::dashboards::{Dashboard, text};

/// Panels that every Grafana from 9.1 to 12 has without plugins.
const KINDS: &[&str] =
    &["stat", "table", "timeseries", "state-timeline", "heatmap", "bargauge", "text", "dashlist", "row"];
/// Okabe and Ito's colours, which everybody can tell apart. State is never shown by colour alone.
const COLOURS: &[&str] =
    &["#009E73", "#56B4E9", "#0072B2", "#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#999999", "transparent"];
/// Grid units across, and those down that a screen of 768 pixels shows below the bars of a browser
/// and of Grafana: a unit is 38 pixels.
const ACROSS: i64 = 24;
const DOWN: i64 = 13;
/// Panels of the overlay that must be visible there without scrolling.
const FIRST: &[&str] = &[
    "Black holes",
    "Unreachable",
    "Lossy",
    "Reduced or unknown",
    "Tunnels in trouble",
    "Routers not read",
    "Verdicts",
    "What to type",
];

/// Faults in the way it is built.
pub fn findings(dashboard: &Dashboard) -> Vec<String> {
    let mut found = Vec::new();
    let json = &dashboard.json;
    let title = text(json, "title");
    let mut wanted = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{title}: {what}"));
        }
    };
    // Grafana 9.1 knows no schema beyond 37; later versions migrate from it.
    wanted(json["schemaVersion"].as_i64().is_some_and(|it| it <= 37), "schemaVersion above 37");
    wanted(json["tags"] == serde_json::json!(["vxlan"]), "tags");
    wanted(!text(json, "uid").is_empty() && text(json, "uid").len() <= 40, "uid");
    wanted(json["id"].is_null(), "an id of one Grafana's own");
    let links = json["links"].as_array().into_iter().flatten();
    let pages = |link: &Value| {
        link["type"] == "dashboards"
            && link["tags"] == json["tags"]
            && link["includeVars"] == true
            && link["keepTime"] == true
    };
    wanted(links.into_iter().any(pages), "no links to the other pages that keep variables and time");
    let mut ids = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for panel in dashboard.all_panels() {
        let name = text(panel, "title");
        if text(panel, "type") == "row" {
            let folded = panel["panels"].as_array().is_some_and(|panels| !panels.is_empty());
            wanted(panel["collapsed"] == folded, &format!("{name}: only a folded row has panels of its own"));
        }
        let versioned = text(panel, "type") == "row" || text(panel, "pluginVersion") == "9.1.0";
        wanted(versioned, &format!("{name}: newer Grafanas migrate from pluginVersion 9.1.0"));
        wanted(ids.insert(panel["id"].as_i64()) && panel["id"].is_i64(), &format!("{name}: id"));
        wanted(titles.insert(name), &format!("{name}: twice"));
        wanted(KINDS.contains(&text(panel, "type")), &format!("{name}: type {}", text(panel, "type")));
        let [x, _, w, h] = place(panel);
        wanted(x >= 0 && w > 0 && h > 0 && x + w <= ACROSS, &format!("{name}: outside the grid"));
        for colour in colours(panel) {
            wanted(COLOURS.contains(&colour.as_str()), &format!("{name}: colour {colour}"));
        }
    }
    if dashboard.name == "vxlan-overlay" {
        let hidden = below_the_fold(dashboard);
        wanted(hidden.is_empty(), &format!("a laptop does not show {hidden:?}"));
    }
    let panels: Vec<&Value> = dashboard.all_panels().collect();
    for (index, one) in panels.iter().enumerate() {
        for other in &panels[index + 1..] {
            let names = format!("{} and {}", text(one, "title"), text(other, "title"));
            wanted(!overlap(place(one), place(other)), &format!("{names} overlap"));
        }
    }
    found
}

/// Panels that should be visible on a laptop without scrolling and are not.
fn below_the_fold(dashboard: &Dashboard) -> Vec<&str> {
    let seen = |title: &str| {
        dashboard.panels().any(|panel| {
            let [_, y, _, h] = place(panel);
            text(panel, "title") == title && y + h <= DOWN
        })
    };
    FIRST.iter().copied().filter(|title| !seen(title)).collect()
}

/// x, y, width, height.
fn place(panel: &Value) -> [i64; 4] {
    ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_i64().unwrap_or(-1))
}

fn overlap([x, y, w, h]: [i64; 4], [ox, oy, ow, oh]: [i64; 4]) -> bool {
    x < ox + ow && ox < x + w && y < oy + oh && oy < y + h
}

/// Every colour in a panel.
fn colours(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(colour) if key == "color" || key == "fixedColor" => vec![colour.clone()],
                _ => colours(value),
            })
            .filter(|colour| !colour.starts_with("rgba("))
            .collect(),
        Value::Array(items) => items.iter().flat_map(colours).collect(),
        _ => Vec::new(),
    }
}
