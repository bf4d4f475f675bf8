//! The overlay dashboard's "What to type", from what `/metrics` says, must show what `check`
//! prints: path by path, router by router, line by line.

use std::{fmt::Write as _, fs, process::Command};

use super::{Present, in_two_holes, present, read};
use crate::{
    report::{Paint, text},
    web::metrics::{SelfInfo, render},
};

/// One line to type: path, router, command.
type Line = (String, String, String);

/// The expression of the panel, with every variable at its value for "All".
fn panel() -> String {
    let page: serde_json::Value =
        serde_json::from_str(include_str!("../../../dashboards/vxlan-overlay.json")).expect("JSON");
    let panels = page["panels"].as_array().expect("panels");
    let panel = panels.iter().find(|panel| panel["title"] == "What to type").expect("the panel");
    assert_eq!(panel["transformations"][0]["options"]["sort"][0]["field"], "order");
    let expr = panel["targets"][0]["expr"].as_str().expect("an expression");
    expr.replace("job=~\"$job\", instance=~\"$instance\", ", "").replace("$path", ".+")
}

/// What `check` prints for one path alone.
fn printed(present: &Present, path: &str) -> Vec<Line> {
    let text = text(present, 200, Paint::Plain);
    // Its section; tunnels that no path tells of have their own.
    let begin = text.find(&format!("\npath {path}: ")).expect("the path's section") + 1;
    let section = text[begin..].split("\n\n").next().unwrap_or_default();
    let mut router = String::new();
    let mut lines = Vec::new();
    for line in section.lines() {
        if let Some(on) = line.strip_prefix("    on ").and_then(|rest| rest.strip_suffix(':')) {
            on.clone_into(&mut router);
        } else if let Some(command) = line.strip_prefix("      ").filter(|_| !router.is_empty()) {
            lines.push((path.to_owned(), router.clone(), command.to_owned()));
        }
    }
    lines
}

/// The same lines as the panel's rows, with the label that sorts them: the number of the router,
/// then that of the command among all of the path.
fn rows(lines: &[Line]) -> Vec<(String, &Line)> {
    let mut rows = Vec::new();
    let (mut session, mut step) = (0, 0);
    for line in lines {
        let place = match line.2.as_str() {
            "configure" => {
                session += 1;
                "00".to_owned()
            }
            "commit" | "save" => line.2.clone(),
            _ => {
                step += 1;
                format!("{step:02}")
            }
        };
        rows.push((format!("//site-a/{}/{session:02}/{place}", line.0), line));
    }
    rows
}

#[test]
fn grafana_shows_what_check_prints() {
    let (routers, paths) = in_two_holes();
    let both = present(read(&routers), paths.clone());
    let mut lines = Vec::new();
    for path in ["node-b", "rancher"] {
        let alone = paths.iter().filter(|it| it.path.as_str() == path).cloned().collect();
        lines.push(printed(&present(read(&routers), alone), path));
    }
    assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [13, 8], "{lines:#?}");
    let rows: Vec<_> = lines.iter().flat_map(|lines| rows(lines)).collect();
    // Sorted by that label, the rows are in the order of `check`.
    assert!(rows.is_sorted_by(|(one, _), (next, _)| one < next), "{rows:#?}");

    let metrics = render(&both, &SelfInfo::default()).expect("metrics");
    let mut test =
        "rule_files: []\nevaluation_interval: 30s\ntests:\n- interval: 30s\n  input_series:\n".to_owned();
    for series in metrics.lines().filter(|line| line.starts_with("vxlan_path_fix_info{")) {
        let series = series.strip_suffix(" 1").expect("the value 1");
        writeln!(test, "  - {{series: '{series}', values: '1x1'}}").expect("text");
    }
    let indented = panel().replace('\n', "\n      ");
    writeln!(
        test,
        "  promql_expr_test:\n  - expr: |\n      {indented}\n    eval_time: 30s\n    exp_samples:"
    )
    .expect("text");
    for (order, (path, router, command)) in &rows {
        let session = order.split('/').nth(4).expect("a session");
        let step = order.split('/').nth(5).expect("a step");
        let labels = format!(
            r#"{{source="site-a",path="{path}",router="{router}",session="{session}",step="{step}",command="{command}",order="{order}"}}"#
        );
        writeln!(test, "    - {{labels: '{labels}', value: 1}}").expect("text");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("type.yml");
    fs::write(&file, &test).expect("written");
    let done = Command::new("promtool").args(["test", "rules"]).arg(&file).output().expect("promtool");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}\n{test}");
}
