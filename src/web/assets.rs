//! Style sheet, script and icon, part of the binary. Their addresses name the version, so that a
//! browser never shows a page with the style of another version.

/// The address of an asset.
pub(super) fn address(name: &str) -> String {
    format!("/assets/{name}?v={}", env!("CARGO_PKG_VERSION"))
}

/// Content type and content.
pub(super) fn find(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "style.css" => Some(("text/css; charset=utf-8", include_str!("assets/style.css"))),
        "page.js" => Some(("text/javascript; charset=utf-8", include_str!("assets/page.js"))),
        "icon.svg" => Some(("image/svg+xml", include_str!("assets/icon.svg"))),
        _ => None,
    }
}
