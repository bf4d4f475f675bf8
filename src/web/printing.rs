//! Prints the expensive pages off the async threads, once for all who request one at the same time.

use std::sync::Arc;

use hyper::body::Bytes;

use super::{
    answer::{Content, Printed},
    coalesce::Coalesced,
    format::{ContentCoding, ScrapeForm},
    metrics,
};
use crate::{model::state::State, web::SelfInfo};

/// The printers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Printing {
    inner: Arc<InProgress>,
}

#[derive(Debug, Default)]
struct InProgress {
    metrics: Coalesced<Result<Bytes, String>>,
    pages: Coalesced<Arc<Printed>>,
}

impl Printing {
    /// The present `/metrics` in that form and coding, or why it cannot be printed.
    pub(super) async fn metrics(
        &self,
        state: &State,
        self_info: &SelfInfo,
        (form, coding): (ScrapeForm, ContentCoding),
    ) -> Result<Bytes, String> {
        let (state, self_info) = (state.clone(), self_info.clone());
        let name = format!("{form:?} {coding:?}");
        let printed = self.inner.metrics.get(&name, move || {
            let printed = metrics::packed((form, coding), &state.present(), &self_info);
            printed.map(Bytes::from).map_err(|error| format!("{error:#}"))
        });
        printed.await.unwrap_or_else(|| Err("printing them has failed".to_owned()))
    }

    /// The page of that name, printed by `print`; `None` if that panics.
    pub(super) async fn page(
        &self,
        name: &str,
        print: impl FnOnce() -> Content + Send + 'static,
    ) -> Option<Arc<Printed>> {
        self.inner.pages.get(name, move || Arc::new(Printed::new(print()))).await
    }
}
