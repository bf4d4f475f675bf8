//! Flags of `serve`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    listen::ListenAddress,
    model::shard::Shard,
    web::mount::{ExternalUrl, Prefix, TelemetryPath},
};

/// Flags of `serve`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ServeArgs {
    /// Address of /metrics and the pages; without a host, all addresses of this machine. May be
    /// repeated [default: :14789]
    #[arg(
        long = "web.listen-address",
        env = "VXLAN_EXPORTER_WEB_LISTEN_ADDRESS",
        hide_env = true,
        value_name = "HOST:PORT",
        value_delimiter = ','
    )]
    pub listen_addresses: Vec<ListenAddress>,

    /// Path of the metrics [default: /metrics]
    #[arg(
        long = "web.telemetry-path",
        env = "VXLAN_EXPORTER_WEB_TELEMETRY_PATH",
        hide_env = true,
        value_name = "PATH"
    )]
    pub telemetry_path: Option<TelemetryPath>,

    /// Path below which everything is served [default: that of --web.external-url]
    #[arg(
        long = "web.route-prefix",
        env = "VXLAN_EXPORTER_WEB_ROUTE_PREFIX",
        hide_env = true,
        value_name = "PATH"
    )]
    pub route_prefix: Option<Prefix>,

    /// URL at which browsers reach the exporter, if that is a proxy: links on pages begin with its
    /// path
    #[arg(
        long = "web.external-url",
        env = "VXLAN_EXPORTER_WEB_EXTERNAL_URL",
        hide_env = true,
        value_name = "URL"
    )]
    pub external_url: Option<ExternalUrl>,

    /// File with TLS and user settings, in the format of Prometheus' exporter-toolkit [default:
    /// none]
    #[arg(
        long = "web.config.file",
        env = "VXLAN_EXPORTER_WEB_CONFIG_FILE",
        hide_env = true,
        value_name = "FILE"
    )]
    pub web_config_file: Option<PathBuf>,

    /// Reload the configuration on POST /-/reload, exit on POST /-/quit; SIGHUP and SIGTERM always
    /// work
    #[arg(long = "web.enable-lifecycle", env = "VXLAN_EXPORTER_WEB_ENABLE_LIFECYCLE", hide_env = true)]
    pub enable_lifecycle: bool,

    /// Be one of COUNT exporters that share a configuration; INDEX counts from 0 and may end a name:
    /// vxlan-exporter-2/3
    #[arg(long, env = "VXLAN_EXPORTER_SHARD", hide_env = true, value_name = "INDEX/COUNT")]
    pub shard: Option<Shard>,

    /// Label `source` of the paths if several exporters measure from one site: SITE/NODE
    /// [default: the site]
    #[arg(
        long,
        env = "VXLAN_EXPORTER_SOURCE",
        hide_env = true,
        value_name = "SITE/NODE",
        value_parser = site_and_node
    )]
    pub source: Option<String>,
}

fn site_and_node(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((site, node)) if !site.is_empty() && !node.is_empty() => Ok(text.to_owned()),
        _ => Err("write SITE/NODE, e.g. site-a/node-1".to_owned()),
    }
}

impl ServeArgs {
    /// The addresses given after the command, else those before it, else the default.
    pub(super) fn listen(&self, before: Vec<ListenAddress>) -> Vec<ListenAddress> {
        let given = if self.listen_addresses.is_empty() { before } else { self.listen_addresses.clone() };
        if given.is_empty() { vec![ListenAddress::default()] } else { given }
    }
}
