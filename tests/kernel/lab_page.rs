//! *Probe now* on the page of a path, in the lab's most usual black hole: what the page says came
//! of it is what the network does.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use lab::{
    Lab,
    exporter::{self, Exporter},
    fault::Fault,
    judge,
    numbers::{Numbers, Place},
};

use crate::support::one_exporter::CURL;

const PATIENCE: Duration = Duration::from_mins(2);

struct Reader<'l> {
    lab: &'l Lab,
    page: String,
}

impl Reader<'_> {
    /// The status and what curl prints.
    fn curl(&self, arguments: &[&str]) -> Result<(String, String)> {
        let arguments: Vec<_> = CURL.iter().chain(arguments).copied().chain([self.page.as_str()]).collect();
        let done = self.lab.host(Place::SiteA).output("curl", &arguments)?;
        let said = String::from_utf8(done.stdout)?;
        let (body, status) = said.rsplit_once('\n').context("a status")?;
        Ok((status.to_owned(), body.to_owned()))
    }

    fn proof(&self) -> Result<String> {
        let (_, page) = self.curl(&[])?;
        let (_, after) =
            page.split_once("name=\"proof\" value=\"").with_context(|| format!("no form in {page}"))?;
        Ok(format!("proof={}", after.split_once('"').context("its end")?.0))
    }

    fn wait_for(&self, words: &[&str]) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let (_, page) = self.curl(&[])?;
            if words.iter().all(|words| page.contains(words)) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "never {words:?}: {page}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn a_black_hole_is_probed_now() -> Result<()> {
    let lab = Lab::raise(&Numbers::article(), &Fault::load("default-mtu")?)?;
    let exporter = Exporter::start(&lab, crate::binary())?;
    let path = lab.numbers.site(Place::Dc).host;
    let end = Instant::now() + PATIENCE;
    while judge::verdict(&exporter.metrics()?, path) != "blackhole" {
        ensure!(Instant::now() < end, "no black hole: {}", exporter.log());
        thread::sleep(Duration::from_millis(200));
    }
    let reader = Reader { lab: &lab, page: format!("http://{}/path/{path}", exporter::LISTEN) };
    let proof = reader.proof()?;
    let (status, refused) = reader.curl(&["--header", "Origin: http://elsewhere", "--data", &proof])?;
    ensure!(status == "403" && refused.contains("another site"), "{status} {refused}");
    let (status, said) = reader.curl(&["--data", &proof])?;
    ensure!(status == "303", "{status} {said}");
    // Those that a starved process could not listen for count neither way.
    reader.wait_for(&["small packets answered; 0 of ", " packets of 1500 bytes answered"])?;
    let (status, said) = reader.curl(&["--data", &proof])?;
    ensure!(status == "429" && said.contains("again in"), "{status} {said}");
    ensure!(judge::verdict(&exporter.metrics()?, path) == "blackhole", "{}", exporter.log());
    ensure!(exporter.log().contains("probed now"), "{}", exporter.log());
    Ok(())
}
