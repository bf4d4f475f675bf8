//! `/api/v1`: the present state and the last 24 hours as JSON, in the shapes of `check
//! --format=json`. `/api/v1/openapi.json` describes it; names and shapes of v1 only grow.

mod openapi;
#[cfg(test)]
mod tests;

use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

pub(super) use openapi::openapi;

use super::{answer::Content, page::near, view::View};
use crate::{
    history::{Change, PathHistory, TunnelHistory},
    model::types::Verdict,
    report::json::{PathReport, Report, RouterReport, TunnelReport},
};

/// Paths of one answer, unless asked for fewer.
const MOST_PATHS: usize = 1000;
/// More paths than anybody has.
const MOST_OFFSET: usize = 1_000_000_000;

/// Some of the paths, in the order of the configuration.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Paths<'a> {
    /// How many there are.
    total: usize,
    /// The paths that were asked for.
    paths: Vec<PathReport<'a>>,
}

/// A path of the last 24 hours, a value for each minute, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HistoryReport {
    /// The path.
    path: String,
    /// When this process began to remember, in seconds since 1970.
    since_seconds: Option<f64>,
    /// The minutes that have passed.
    minutes: Vec<MinuteReport>,
    /// The last changes of the verdict.
    changes: Vec<Change>,
}

/// One minute of a path. What was not measured is `null`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MinuteReport {
    /// When it began, in seconds since 1970.
    at_seconds: u64,
    /// Share of small echoes lost, 0 to 1, rounded up to half a percent.
    loss_ratio: Option<f64>,
    /// Median round-trip time, to 3 %.
    rtt_p50_seconds: Option<f64>,
    /// 99th percentile of round-trip times, to 3 %.
    rtt_p99_seconds: Option<f64>,
    /// Path MTU to the target.
    mtu_forward_bytes: Option<u16>,
    /// Path MTU from the target.
    mtu_reverse_bytes: Option<u16>,
    /// The worst verdict.
    verdict: Option<Verdict>,
}

impl HistoryReport {
    fn of(path: &str, known: &PathHistory, since: Option<std::time::SystemTime>) -> Self {
        let minute = |minute: crate::history::PathMinute| MinuteReport {
            at_seconds: minute.minute * 60,
            loss_ratio: minute.loss,
            rtt_p50_seconds: minute.rtt_p50,
            rtt_p99_seconds: minute.rtt_p99,
            mtu_forward_bytes: minute.mtus[0],
            mtu_reverse_bytes: minute.mtus[1],
            verdict: minute.verdict,
        };
        Self {
            path: path.to_owned(),
            since_seconds: since.map(crate::history::unix),
            minutes: known.minutes().map(minute).collect(),
            changes: known.changes().cloned().collect(),
        }
    }
}

/// A tunnel with its last 24 hours.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TunnelWithHistory<'a> {
    /// The tunnel.
    #[serde(flatten)]
    tunnel: TunnelReport<'a>,
    /// The minutes that have passed, oldest first.
    minutes: Vec<TunnelMinuteReport>,
    /// The last changes of its state.
    changes: Vec<Change>,
}

/// One minute of a tunnel.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TunnelMinuteReport {
    /// When it began, in seconds since 1970.
    at_seconds: u64,
    /// Loss from the first end to the second and back, 0 to 1.
    loss_ratios: [Option<f64>; 2],
    /// Whether it was up.
    up: Option<bool>,
}

/// Why there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Missing<'a> {
    /// In a sentence.
    error: String,
    /// Names that are near.
    near: Vec<&'a str>,
}

/// Which of the paths are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AskedPaths {
    offset: usize,
    limit: usize,
    verdict: Option<Verdict>,
}

impl AskedPaths {
    /// From a query; an error names the parameter that cannot be used.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut asked = Self { offset: 0, limit: MOST_PATHS, verdict: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let number = |most: usize| {
                let number = value.parse().ok().filter(|number| *number <= most);
                number.ok_or_else(|| format!("{name} is not a number from 0 to {most}"))
            };
            match name {
                "offset" => asked.offset = number(MOST_OFFSET)?,
                "limit" => asked.limit = number(MOST_PATHS)?,
                "verdict" => {
                    let known = Verdict::ALL.iter().find(|verdict| verdict.as_str() == value);
                    asked.verdict = Some(*known.ok_or("verdict is none of the verdicts")?);
                }
                _ => return Err("the parameters are offset, limit and verdict".to_owned()),
            }
        }
        Ok(asked)
    }
}

pub(super) fn overlay(view: &View) -> Content {
    Content::json(&Report::of(&view.present))
}

pub(super) fn paths(view: &View, asked: &Result<AskedPaths, String>) -> Content {
    let asked = match asked {
        Ok(asked) => asked,
        Err(why) => {
            let refusal = Missing { error: why.clone(), near: Vec::new() };
            return Content::json(&refusal).with(StatusCode::BAD_REQUEST);
        }
    };
    let all = view.present.paths_with_pictures();
    let wanted =
        all.filter(|(path, _)| asked.verdict.is_none_or(|verdict| path.judgement.verdict == verdict));
    let wanted: Vec<_> = wanted.collect();
    let part = wanted.iter().skip(asked.offset).take(asked.limit);
    let paths = part.map(|(path, picture)| PathReport::of(path, *picture)).collect();
    Content::json(&Paths { total: wanted.len(), paths })
}

pub(super) fn path(view: &View, name: &str) -> Content {
    match view.path(name) {
        Some((path, picture)) => Content::json(&PathReport::of(path, picture)),
        None => missing("path", name, view.present.paths.iter().map(|path| path.path.as_str())),
    }
}

pub(super) fn history(view: &View, name: &str) -> Content {
    let known = view.path(name).map(|(path, _)| view.history.path(&path.path).unwrap_or_default());
    match known {
        Some(known) => Content::json(&HistoryReport::of(name, &known, view.history.since())),
        None => missing("path", name, view.present.paths.iter().map(|path| path.path.as_str())),
    }
}

pub(super) fn tunnel(view: &View, name: &str) -> Content {
    let tunnels = &view.present.overlay.tunnels;
    let Some(tunnel) = view.tunnel(name) else {
        return missing("tunnel", name, tunnels.iter().map(|tunnel| tunnel.name.as_str()));
    };
    let known = view.history.tunnel(name).unwrap_or_default();
    Content::json(&with_history(TunnelReport::of(tunnel), &known))
}

fn with_history<'a>(tunnel: TunnelReport<'a>, known: &TunnelHistory) -> TunnelWithHistory<'a> {
    let minute = |minute: crate::history::TunnelMinute| TunnelMinuteReport {
        at_seconds: minute.minute * 60,
        loss_ratios: minute.loss,
        up: minute.up,
    };
    TunnelWithHistory {
        tunnel,
        minutes: known.minutes().map(minute).collect(),
        changes: known.changes().cloned().collect(),
    }
}

pub(super) fn router(view: &View, name: &str) -> Content {
    match view.router(name) {
        Some(reading) => Content::json(&RouterReport::of(reading)),
        None => missing("router", name, view.present.routers.iter().map(|reading| reading.router.as_str())),
    }
}

/// No part of the API has this address.
pub(super) fn no_such_address() -> Content {
    let error = "there is no such address: see /api/v1/openapi.json".to_owned();
    Content::json(&Missing { error, near: Vec::new() }).with(StatusCode::NOT_FOUND)
}

fn missing<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Content {
    let near = near(name, known.map(|known| (known, String::new())));
    let near = near.into_iter().map(|(name, _)| name).collect();
    Content::json(&Missing { error: format!("there is no such {kind}"), near }).with(StatusCode::NOT_FOUND)
}
