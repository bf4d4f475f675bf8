//! Where the pages are: the path of the metrics, the path below which everything is served, and the
//! one that links begin with, as Prometheus and its exporters have these flags.

use std::str::FromStr;

use hyper::Uri;

/// Below these, or at these, is something else.
const TAKEN: &[&str] =
    &["/path", "/tunnel", "/router", "/runbooks", "/events", "/assets", "/api", "/probe", "/config", "/-"];

/// A path of `/` and words, without a `/` at its end.
fn words(text: &str, example: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if path.is_empty() && text.starts_with('/') {
        return Ok(String::new());
    }
    let is_path = path.starts_with('/') && !path.contains("//") && path.chars().all(is_plain);
    if is_path && !path.split('/').any(|word| word == "." || word == "..") {
        return Ok(path.to_owned());
    }
    Err(format!("write a path of letters, digits and - _ . ~, e.g. {example}"))
}

/// The path of the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryPath(String);

impl FromStr for TelemetryPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = words(text, "/metrics")?;
        let first = path.split_inclusive('/').take(2).collect::<String>();
        if path.is_empty() || TAKEN.contains(&first.trim_end_matches('/')) {
            return Err("something else is there: write e.g. /metrics".to_owned());
        }
        Ok(Self(path))
    }
}

/// The path below which everything is served; empty for `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        words(text, "/vxlan").map(Self)
    }
}

/// Where browsers find the exporter; only its path matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl(Prefix);

impl FromStr for ExternalUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write e.g. https://monitoring.example.net/vxlan";
        let url: Uri = text.parse().map_err(|_| example.to_owned())?;
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        if !is_http || url.host().is_none_or(str::is_empty) || url.query().is_some() || text.contains('#') {
            return Err(example.to_owned());
        }
        url.path().parse().map(Self).map_err(|_| example.to_owned())
    }
}

/// Where the pages are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    telemetry: String,
    /// Requests begin with it.
    routes: String,
    /// Links begin with it: a proxy may take it away.
    links: String,
}

impl Default for Mount {
    fn default() -> Self {
        Self::new(None, None, None)
    }
}

impl Mount {
    /// As the flags say.
    #[must_use]
    pub fn new(
        telemetry: Option<TelemetryPath>,
        route_prefix: Option<Prefix>,
        external: Option<&ExternalUrl>,
    ) -> Self {
        let external = external.map(|url| url.0.0.clone());
        let routes = route_prefix.map(|prefix| prefix.0).or_else(|| external.clone()).unwrap_or_default();
        Self {
            telemetry: telemetry.map_or_else(|| "/metrics".to_owned(), |path| path.0),
            links: external.unwrap_or_else(|| routes.clone()),
            routes,
        }
    }

    /// The path of the metrics, below the prefix.
    pub(super) fn telemetry(&self) -> &str {
        &self.telemetry
    }

    /// Where `/` is to be found.
    pub(super) fn home(&self) -> String {
        format!("{}/", self.links)
    }

    /// The link to a page.
    pub(super) fn link(&self, page: &str) -> String {
        format!("{}{page}", self.links)
    }

    /// The same address without the prefix; `None` if it is not below it.
    pub(super) fn below(&self, uri: &Uri) -> Option<Uri> {
        if self.routes.is_empty() {
            return Some(uri.clone());
        }
        let rest = uri.path().strip_prefix(&self.routes)?;
        if !rest.starts_with('/') {
            return None;
        }
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{rest}{query}").parse().ok()
    }

    /// A page with its links as they are here. Values of attributes are all that begins with `"/`
    /// after `=`: in text a `"` is escaped.
    pub(super) fn linked(&self, html: String) -> String {
        if *self == Self::default() {
            return html;
        }
        let html = html.replace("href=\"/metrics\"", &format!("href=\"{}\"", self.telemetry));
        html.replace("=\"/", &format!("=\"{}/", self.links))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(telemetry: &str, prefix: Option<&str>, external: Option<&str>) -> Mount {
        let external: Option<ExternalUrl> = external.map(|url| url.parse().expect(url));
        let prefix = prefix.map(|prefix| prefix.parse().expect(prefix));
        Mount::new(Some(telemetry.parse().expect(telemetry)), prefix, external.as_ref())
    }

    #[test]
    fn the_prefix_of_requests_and_that_of_links() {
        for (prefix, external, request, below, link) in [
            (None, None, "/path/a?b=c", Some("/path/a?b=c"), "/"),
            (Some("/x/"), None, "/x/path/a?b=c", Some("/path/a?b=c"), "/x/"),
            (Some("/x"), None, "/x/", Some("/"), "/x/"),
            (Some("/x"), None, "/xy", None, "/x/"),
            (Some("/x"), None, "/x", None, "/x/"),
            (None, Some("https://m.example/a/b/"), "/a/b/metrics", Some("/metrics"), "/a/b/"),
            // The proxy takes the path away.
            (Some("/"), Some("https://m.example/a"), "/metrics", Some("/metrics"), "/a/"),
        ] {
            let mount = mount("/metrics", prefix, external);
            let found = mount.below(&request.parse().expect(request)).map(|uri| uri.to_string());
            assert_eq!(
                (found.as_deref(), mount.home().as_str()),
                (below, link),
                "{prefix:?} {external:?} {request}"
            );
        }
    }

    #[test]
    fn links_follow_and_text_stays() {
        let mount = mount("/prom", Some("/x"), None);
        let html = "<a href=\"/metrics\">Metrics</a><script src=\"/assets/page.js?v=1\"></script><p>=&quot;/ and /metrics</p>";
        assert_eq!(
            mount.linked(html.to_owned()),
            "<a href=\"/x/prom\">Metrics</a><script src=\"/x/assets/page.js?v=1\"></script><p>=&quot;/ and /metrics</p>"
        );
        assert_eq!(Mount::default().linked(html.to_owned()), html);
    }

    #[test]
    fn what_is_wrong_says_what_to_write() {
        for text in
            ["metrics", "", "/", "/a b", "/a//b", "/../a", "/probe", "/-/metrics", "/api/v1/metrics", "/a?b"]
        {
            assert!(text.parse::<TelemetryPath>().expect_err(text).contains("e.g. /metrics"), "{text}");
        }
        for text in ["vxlan", "/a b", "/..", "//a"] {
            assert!(text.parse::<Prefix>().expect_err(text).contains("e.g. /vxlan"), "{text}");
        }
        for text in
            ["/vxlan", "example.net/vxlan", "ftp://a/b", "https://a/b?c", "https://a/b#c", "https:///b", ""]
        {
            assert!(text.parse::<ExternalUrl>().expect_err(text).contains("e.g. https://"), "{text}");
        }
    }
}
