use std::fmt::Write as _;

use super::*;
use crate::model::types::LinkKind;

const SECOND: Duration = Duration::from_secs(1);
use Method::{Api, Ip, Raw, Text};

#[test]
fn what_worked_is_tried_first_and_once_an_hour_the_best() {
    let start = Instant::now();
    let mut memory = MethodMemory::new(vec![Ip, Raw, Text, Api]);
    assert_eq!(memory.order(start), [Ip, Raw, Text, Api]);
    memory.worked(Text);
    assert_eq!(memory.order(start + SECOND), [Text, Api]);
    memory.worked(Api);
    assert_eq!(memory.order(start + RETRY_BETTER.saturating_sub(SECOND)), [Api]);
    memory.worked(Api);
    assert_eq!(memory.order(start + RETRY_BETTER), [Ip, Raw, Text, Api]);
    memory.worked(Text);
    assert_eq!(memory.order(start + RETRY_BETTER + SECOND), [Text, Api], "and not again for an hour");
    memory.worked(Ip);
    assert_eq!(memory.order(start + RETRY_BETTER + 2 * SECOND), [Ip, Raw, Text, Api]);
}

#[test]
fn after_a_scrape_in_which_nothing_worked_the_best_is_tried_at_once() {
    let start = Instant::now();
    let mut memory = MethodMemory::new(vec![Ip, Raw, Text]);
    memory.order(start);
    memory.worked(Raw);
    memory.order(start + SECOND);
    memory.nothing_worked();
    assert_eq!(memory.order(start + 2 * SECOND), [Ip, Raw, Text]);
}

/// A fake router whose commands print what this table says; its session can be ended.
struct Router {
    sections: Vec<(&'static str, &'static str)>,
    session: bool,
    execs: std::sync::Arc<std::sync::Mutex<u32>>,
}

impl Shell for Router {
    fn exec(&mut self, script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        *self.execs.lock().unwrap() += 1;
        if !self.session {
            return Err(ScrapeError::new(FailureReason::Connect, "no session"));
        }
        let marker = script.lines().next().unwrap().strip_prefix("M=").unwrap();
        let asked = script.lines().filter_map(|line| line.strip_prefix("s ")?.split(' ').next());
        let mut output = String::new();
        for name in asked {
            let text = self.sections.iter().find(|(known, _)| *known == name);
            let _ = match text {
                Some((_, text)) => write!(output, "{marker} begin {name}\n{text}\n{marker} rc=0\n"),
                None => write!(output, "{marker} begin {name}\n{marker} err\nnot found\n{marker} rc=127\n"),
            };
        }
        Ok(output + marker + " end\n")
    }
}

type Execs = std::sync::Arc<std::sync::Mutex<u32>>;

fn chain(sections: &[(&'static str, &'static str)], session: bool) -> (Chain, Execs) {
    let execs = Execs::default();
    let router = Router { sections: sections.to_vec(), session, execs: Execs::clone(&execs) };
    (Chain::of("dc".into(), Some(Box::new(router)), None), execs)
}

const RAW: &str = include_str!("../../../tests/corpus/v14-raw-vxlan01.json");

#[test]
fn a_method_that_fails_gives_way_within_the_scrape_and_is_not_tried_in_the_next() {
    let (mut chain, execs) =
        chain(&[("raw", RAW), ("uptime-before", "1.0 1"), ("uptime-after", "2.0 1")], true);
    let snapshot = chain.scrape(Instant::now() + SECOND).unwrap();
    let uptime = snapshot.uptime.map(|uptime| (uptime.before, uptime.after));
    assert_eq!((snapshot.method, uptime), (Raw, Some((1.0, 2.0))));
    let link = snapshot.link("vxlan01").unwrap();
    assert_eq!((link.mtu, link.kind), (Some(9000), Some(LinkKind::Vxlan)));
    assert_eq!(link.vxlan, None, "op-mode tells no VNI, remote or port");
    assert_eq!(*execs.lock().unwrap(), 2);
    chain.scrape(Instant::now() + SECOND).unwrap();
    assert_eq!(*execs.lock().unwrap(), 3);
}

#[test]
fn a_session_that_fails_is_asked_once() {
    let (mut chain, execs) = chain(&[], false);
    let error = chain.scrape(Instant::now() + SECOND).unwrap_err();
    assert_eq!((error.reason, error.message.as_str()), (FailureReason::Connect, "no session"));
    assert_eq!(*execs.lock().unwrap(), 1);
}

#[test]
fn where_nothing_works_the_best_methods_reason_stands_and_every_word_is_told() {
    let (mut chain, _) = chain(&[], true);
    let error = chain.scrape(Instant::now() + SECOND).unwrap_err();
    assert_eq!(error.reason, FailureReason::Command);
    for words in
        ["`ip -j -s -s -d addr show` failed", "then by raw: `interfaces.py", "then by text: `show interfaces"]
    {
        assert!(error.message.contains(words), "{error}");
    }
}
