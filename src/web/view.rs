//! Everything that a page shows, copied at one moment.

use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Pages;
use crate::{
    history::History,
    language,
    model::{
        observation::PathObservation,
        picture::{PathPicture, Tunnel},
        snapshot::RouterReading,
        state::Present,
        types::PathName,
    },
};

/// What stays as it is in a segment of a path; all else, also `/` and `~`, is written in percents.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The source of every page. Made anew for each printing.
#[derive(Debug)]
pub(super) struct View {
    pub present: Present,
    pub history: History,
    /// The revision that the page shows: the browser asks for the page again when there is a later
    /// one.
    pub revision: String,
    pub now: SystemTime,
    pub version: &'static str,
}

impl View {
    pub(super) fn of(pages: &Pages) -> Self {
        Self {
            revision: pages.live.revision(),
            present: pages.state.present(),
            history: pages.history.clone(),
            now: SystemTime::now(),
            version: pages.self_info.version,
        }
    }

    pub(super) fn path(&self, name: &str) -> Option<(&PathObservation, Option<&PathPicture>)> {
        let path = self.present.paths.iter().find(|path| path.path.as_str() == name)?;
        let pictures = &self.present.overlay.paths;
        Some((path, pictures.iter().find(|picture| picture.path == path.path)))
    }

    pub(super) fn tunnel(&self, name: &str) -> Option<&Tunnel> {
        self.present.overlay.tunnels.iter().find(|tunnel| tunnel.name == name)
    }

    pub(super) fn router(&self, name: &str) -> Option<&RouterReading> {
        self.present.routers.iter().find(|reading| reading.router.as_str() == name).map(AsRef::as_ref)
    }

    /// Since when a problem has been there; a router's is not remembered.
    pub(super) fn since(&self, kind: &str, name: &str) -> Option<SystemTime> {
        match kind {
            "path" => self.history.path_since(&PathName::from(name)),
            "tunnel" => self.history.tunnel_since(name),
            _ => None,
        }
    }
}

/// The address of the page of a path, tunnel, router or runbook.
pub(super) fn address(kind: &str, name: &str) -> String {
    format!("/{kind}/{}{}", utf8_percent_encode(name, PLAIN), language::query())
}
