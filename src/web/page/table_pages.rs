//! Which part of the long tables of `/` an address asks for.

/// Which part of the long tables is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TablePages {
    /// Pages from 1.
    pub paths: usize,
    pub tunnels: usize,
    pub routers: usize,
    pub problems: usize,
}

impl TablePages {
    /// From the query of an address; whatever else it says is left out.
    pub(crate) fn read(query: &str) -> Self {
        let page = |key: &str| {
            let values = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = values.filter(|(name, _)| *name == key).find_map(|(_, value)| value.parse().ok());
            value.unwrap_or(1).clamp(1, 1_000_000)
        };
        Self {
            paths: page("paths"),
            tunnels: page("tunnels"),
            routers: page("routers"),
            problems: page("problems"),
        }
    }
}
