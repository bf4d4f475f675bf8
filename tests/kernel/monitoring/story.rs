//! A story: what happens to an overlay, and what the people see who are alerted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    chart::{Choices, OVER_MINUTES, Objects},
    stack::{self, Alert, Monitoring, NAMESPACE},
};
use lab::{
    Lab,
    dashboards::Query,
    exporter::{self, Exporter, Rights},
    fault::Fault,
    numbers::Numbers,
};

/// How long a change may take to be seen: generous, as the machine may be busy. Loss is measured
/// over two minutes.
const PATIENCE: Duration = Duration::from_mins(5);
const LOOK: Duration = Duration::from_millis(500);

/// An alert that must fire.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// Its key, as [`Alert::key`] writes it.
    pub key: &'e str,
    /// What its description must contain.
    pub says: &'e [&'e str],
    /// The commands it must contain, each as `ROUTER: COMMAND`: exactly these, in this order.
    pub commands: &'e [&'e str],
}

/// A lab with an exporter and the whole monitoring stack.
pub struct Story {
    pub exporter: Option<Exporter>,
    pub monitoring: Monitoring,
    pub lab: Lab,
    rights: Rights,
    /// All alerts that were expected so far.
    awaited: BTreeSet<String>,
}

impl Story {
    /// Installs the chart, and starts the monitoring and the exporter.
    pub fn begin(fault: &Fault, choices: Choices) -> Result<Self> {
        let mut lab = Lab::raise(&Numbers::article(), fault)?;
        let objects = Objects::render(&lab, choices)?;
        let config = objects.one("ConfigMap")?["data"]["config.yml"].as_str().context("config.yml")?;
        fs::write(exporter::config(&lab), config)?;
        let monitoring = Monitoring::start(&mut lab, &objects, choices.native)?;
        let rights = if choices.pod { Rights::Pings } else { Rights::All };
        let mut story = Self { exporter: None, monitoring, lab, rights, awaited: BTreeSet::new() };
        story.start_exporter()?;
        story.monitoring.pod_is_there(!choices.outside)?;
        Ok(story)
    }

    /// Starts the exporter, again if one runs.
    pub fn start_exporter(&mut self) -> Result<()> {
        self.exporter = None;
        self.exporter = Some(Exporter::start_with(&self.lab, crate::binary(), self.rights)?);
        Ok(())
    }

    /// Waits until both paths, both tunnels and all three routers are reported healthy.
    pub fn all_is_well(&mut self) -> Result<()> {
        let well = "vxlan_path_verdict{verdict=\"ok\"} == 1 or vxlan_tunnel_up == 1 or vxlan_router_up == 1";
        self.wait_for("two paths, two tunnels and three routers that are well", well, 7)
    }

    /// Waits until a query has this many results.
    pub fn wait_for(&mut self, what: &str, expression: &str, series: usize) -> Result<()> {
        let begin = Instant::now();
        loop {
            let found = self.monitoring.query(expression)?;
            if found.len() == series {
                return Ok(());
            }
            self.wait_on(begin, || format!("not {what}: {found:#?}"))?;
        }
    }

    /// Waits until no alert, whatever its `for`, has been pending for ten seconds.
    pub fn all_is_quiet(&mut self) -> Result<()> {
        self.wait_for("quiet", "max_over_time(ALERTS[10s])", 0)
    }

    /// A query of a panel must soon return something; a rate needs two scrapes.
    pub fn shows(&mut self, query: &Query) -> Result<()> {
        let begin = Instant::now();
        while !self.monitoring.shows(query)? {
            self.wait_on(begin, || format!("nothing to see: {query:#?}"))?;
        }
        Ok(())
    }

    /// Waits until exactly these alerts are active, all of them firing, and each has arrived at the
    /// webhook with the required content. No other alert may fire meanwhile. Returns the commands
    /// in them.
    pub fn alerted(&mut self, expected: &[Expected<'_>]) -> Result<Vec<(String, String)>> {
        let begin = Instant::now();
        let wanted: BTreeSet<String> = expected.iter().map(|alert| alert.key.to_owned()).collect();
        self.awaited.extend(wanted.iter().cloned());
        loop {
            let active = self.monitoring.alerts()?;
            self.no_other_fires(&active)?;
            let firing = active.iter().all(|alert| alert.state == "firing");
            if firing && active.iter().map(Alert::key).collect::<BTreeSet<_>>() == wanted {
                break;
            }
            self.wait_on(begin, || format!("not alone: {wanted:#?}"))?;
        }
        let took = begin.elapsed();
        let mut commands = Vec::new();
        for alert in expected {
            for command in self.arrives(begin, alert)? {
                if !commands.contains(&command) {
                    commands.push(command);
                }
            }
        }
        println!("{:?} firing after {took:.1?}, sent after {:.1?}", wanted, begin.elapsed());
        Ok(commands)
    }

    /// Waits until the last message about an alert has the required content.
    fn arrives(&mut self, begin: Instant, expected: &Expected<'_>) -> Result<Vec<(String, String)>> {
        loop {
            let sent = self.monitoring.sent()?.into_iter().rfind(|alert| alert.key() == expected.key);
            let mut lacking = vec!["the alert itself".to_owned()];
            if let Some(alert) = &sent {
                let namespace = alert.labels.get("namespace").map(String::as_str);
                ensure!(namespace == Some(NAMESPACE), "{}: namespace {namespace:?}", expected.key);
                let description = alert.annotations.get("description").context("no description")?;
                lacking = expected
                    .says
                    .iter()
                    .filter(|words| !description.contains(**words))
                    .map(|words| (*words).to_owned())
                    .collect();
                let named = commands(description);
                let said: Vec<_> =
                    named.iter().map(|(router, command)| format!("{router}: {command}")).collect();
                if said != expected.commands {
                    lacking.push(format!("{:#?}", expected.commands));
                }
                if alert.status != "firing" {
                    lacking.push(format!("status firing, not {}", alert.status));
                }
                if lacking.is_empty() {
                    return Ok(named);
                }
            }
            self.wait_on(begin, || {
                format!("{} has not arrived with: {}\nbut: {sent:#?}", expected.key, lacking.join("\n"))
            })?;
        }
    }

    /// Types the commands on the routers, and waits until they have mended everything.
    pub fn mend(&mut self, commands: &[(String, String)]) -> Result<()> {
        for (router, command) in commands {
            let how = self.lab.apply_fix(router, command)?;
            let how = how.with_context(|| format!("{command:?} changes nothing"))?;
            println!("typed on {router}: {command} ({how})");
        }
        self.resolved()
    }

    /// Waits until no alert is active and the webhook knows it. No unexpected alert may fire
    /// meanwhile. Alerts on packets that were lost meanwhile may stay pending.
    pub fn resolved(&mut self) -> Result<()> {
        let begin = Instant::now();
        loop {
            let mut active = self.monitoring.alerts()?;
            self.no_other_fires(&active)?;
            active.retain(|alert| {
                alert.state == "firing" || !OVER_MINUTES.contains(&alert.labels["alertname"].as_str())
            });
            let open = self.open()?;
            if active.is_empty() && open.is_empty() {
                println!("resolved after {:.1?}", begin.elapsed());
                return Ok(());
            }
            self.wait_on(begin, || format!("not resolved: {open:#?}"))?;
        }
    }

    /// Everything that ever fired and everything that was sent must have been expected, and nothing
    /// may be left open.
    pub fn end(mut self) -> Result<()> {
        let fired = self.monitoring.query("max_over_time(ALERTS{alertstate=\"firing\"}[1h])")?;
        let fired: BTreeSet<String> = fired
            .into_iter()
            .map(|(mut labels, _)| {
                labels.remove("__name__");
                labels.remove("alertstate");
                stack::key(&labels)
            })
            .collect();
        let sent: BTreeSet<String> = self.monitoring.sent()?.iter().map(Alert::key).collect();
        for (what, seen) in [("fired", fired), ("was sent", sent)] {
            ensure!(seen == self.awaited, "{what}: {seen:#?}\nawaited: {:#?}", self.awaited);
        }
        let open = self.open()?;
        ensure!(open.is_empty(), "not resolved at the webhook: {open:#?}");
        self.exporter()?.must_run()
    }

    /// The exporter; an error if it does not run.
    pub fn exporter(&mut self) -> Result<&mut Exporter> {
        self.exporter.as_mut().context("no exporter runs")
    }

    /// The alerts that were last sent as firing.
    fn open(&self) -> Result<Vec<String>> {
        let last: BTreeMap<String, String> =
            self.monitoring.sent()?.into_iter().map(|alert| (alert.key(), alert.status)).collect();
        Ok(last.into_iter().filter(|(_, status)| status != "resolved").map(|(key, _)| key).collect())
    }

    fn no_other_fires(&self, active: &[Alert]) -> Result<()> {
        for alert in active.iter().filter(|alert| alert.state == "firing") {
            if !self.awaited.contains(&alert.key()) {
                bail!("it fires and should not: {alert:#?}\n{}", self.report());
            }
        }
        Ok(())
    }

    /// Sleeps a moment; an error with the whole story if it takes too long.
    fn wait_on(&mut self, begin: Instant, what: impl FnOnce() -> String) -> Result<()> {
        if let Some(exporter) = &mut self.exporter {
            exporter.must_run()?;
        }
        if begin.elapsed() > PATIENCE {
            bail!("{} s on, {}\n{}", PATIENCE.as_secs(), what(), self.report());
        }
        thread::sleep(LOOK);
        Ok(())
    }

    /// What a person needs to find the reason.
    fn report(&self) -> String {
        let mut text = String::new();
        match self.monitoring.alerts() {
            Ok(active) => {
                for alert in active {
                    let _ = writeln!(text, "  {} {}", alert.state, alert.key());
                }
            }
            Err(error) => text = format!("{error:#}\n"),
        }
        if let Some(exporter) = &self.exporter {
            let _ = writeln!(text, "the exporter's log:\n{}", exporter.log());
        }
        text
    }
}

/// The commands in an alert's text: `- on ROUTER: COMMAND`.
fn commands(description: &str) -> Vec<(String, String)> {
    let lines = description.lines().filter_map(|line| line.trim().strip_prefix("- on ")?.split_once(": "));
    lines.map(|(router, command)| (router.to_owned(), command.to_owned())).collect()
}
