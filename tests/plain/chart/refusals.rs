//! What is refused, and that the message says what to do.

use anyhow::{Context as _, Result};

use super::helm::{IMAGE, template};

/// helm's message for values that it must refuse.
fn refused(values: &str, arguments: &[&str]) -> String {
    match template(values, arguments) {
        Err(error) => error.to_string(),
        Ok(objects) => panic!("{values}\nis taken: {} objects", objects.len()),
    }
}

/// The schema's message names the key, or the position of its value.
#[test]
fn a_wrong_value_is_named() {
    for (values, wanted) in [
        ("imag: {}", "additional properties 'imag' not allowed"),
        ("image: {repo: x}", "'/image': additional properties 'repo'"),
        ("image: {tag: 1.0}", "'/image/tag'"),
        ("image: {digest: sha256:1}", "'/image/digest'"),
        ("vantage: hosts", "'/vantage'"),
        ("vantage: null", "missing property 'vantage'"),
        ("nodePort: {metrics: null}", "'/nodePort': missing property 'metrics'"),
        ("kind: daemonset", "'/kind'"),
        ("shards: 0", "'/shards'"),
        ("hostNetwork: 'yes'", "'/hostNetwork'"),
        ("config: {path: []}", "'/config': additional properties 'path'"),
        ("config: {site: a, paths: [{name: a, site: b, adress: c}]}", "additional properties 'adress'"),
        ("config: {site: a, paths: [{name: a, site: b}]}", "missing property 'address'"),
        ("config: {routers: [{name: a, site: b, ssh: {adress: c}}]}", "additional properties 'adress'"),
        ("config: {expected_mtu: 15000}", "'/config/expected_mtu'"),
        ("config: {probe_interval: 1}", "'/config/probe_interval'"),
        ("nodePort: {metric: {}}", "'/nodePort': additional properties 'metric'"),
        ("nodePort: {metrics: {port: 80}}", "'/nodePort/metrics/port'"),
        ("nodePort: {metrics: {loadBalancerSourceRanges: []}}", "'loadBalancerSourceRanges'"),
        (
            "nodePort: {reflector: {externalTrafficPolicy: local}}",
            "'/nodePort/reflector/externalTrafficPolicy'",
        ),
        ("dcTargets: [{name: a, adress: b}]", "additional properties 'adress'"),
        ("prometheusRule: {disabled: [VxlanNoSuch]}", "'/prometheusRule/disabled/0'"),
        ("prometheusRule: {severity: {VxlanNoSuch: critical}}", "'VxlanNoSuch'"),
        ("prometheusRule: {severity: {VxlanPathLossy: crit}}", "'/prometheusRule/severity/VxlanPathLossy'"),
        ("prometheusRule: {forOverride: 5 minutes}", "'/prometheusRule/forOverride'"),
        ("reflector: {allowedSources: [everyone]}", "'/reflector/allowedSources/0'"),
        ("service: {port: 443}", "'/service/port'"),
        ("scrapeConfig: {enabled: sometimes}", "'/scrapeConfig/enabled'"),
        ("existingSecret: My Secret", "'/existingSecret'"),
        ("mesh: {sites: {a: []}}", "'/mesh/sites/a'"),
        ("mesh: {sites: {a: [{adress: b}]}}", "additional properties 'adress'"),
        ("mesh: {representatives: 0}", "'/mesh/representatives'"),
        ("mesh: {path: {site: a}}", "additional properties 'site'"),
        ("probe: {targets: [http://a/]}", "'/probe/targets/0'"),
        ("probe: {targets: ['a:b']}", "'/probe/targets/0'"),
        ("config: {probe: {modules: [{name: a, prober: http}]}}", "'/config/probe/modules/0/prober'"),
        ("logLevel: trace", "'/logLevel'"),
        ("replicas: 0", "'/replicas'"),
        ("service: {type: ExternalName}", "'/service/type'"),
        ("livenessProbe: {httpGet: {}}", "'/livenessProbe': additional properties 'httpGet'"),
        ("ingress: {hosts: [vxlan.example.net]}", "'/ingress/hosts/0'"),
    ] {
        let said = refused(&format!("{}{values}", if values.starts_with("image") { "" } else { IMAGE }), &[]);
        assert!(said.contains("don't meet the specifications of the schema"), "{values}: {said}");
        assert!(said.contains(wanted), "{values}: {wanted}\nis not in\n{said}");
    }
}

const ROUTER: &str = "routers: [{name: a, site: b, ssh: {address: c, username: d, private_key_file: id, \
                      known_hosts_file: known_hosts}}]";
const LOCAL: &str = "externalTrafficPolicy: Local";

#[test]
fn what_cannot_work_is_said_with_what_to_do() {
    for (values, wanted) in [
        ("config: {site: a}\nconfigText: 'site: a'", "config and configText are both set"),
        ("configText: 'site: [a'", "configText is not a YAML map"),
        ("configText: '[]'", "configText is not a YAML map"),
        ("config: {reflector: {listen: ':1'}}", "Set reflector.enabled"),
        ("configText: 'paths: [{name: a, site: b, address: c}]'", "config.site is empty"),
        ("kind: DaemonSet", "config.site is empty"),
        ("config: {site: c}\nmesh: {sites: {a: [b]}}", "mesh.sites has no site \"c\""),
        ("mesh: {sites: {a: [b]}}", "mesh.sites has no site \"\""),
        ("kind: DaemonSet\nconfig: {site: a}\nshards: 2", "Set shards to 1, or kind to Deployment"),
        ("podDisruptionBudget: {enabled: true}", "set shards, or leave it off"),
        ("networkPolicy: {enabled: true}", "or vantage to pod"),
        ("shards: 2\nreplicas: 3", "two words for the same number"),
        ("kind: DaemonSet\nconfig: {site: a}\nreplicas: 2", "Set shards to 1, or kind to Deployment"),
        ("service: {type: LoadBalancer}", "Set web.existingSecret to a Secret with TLS and passwords"),
        ("service: {type: NodePort}\nweb: {existingSecret: a}\nshards: 2", "each request would meet another"),
        ("ingress: {enabled: true, hosts: [{host: a}]}\nshards: 2", "each request would meet another"),
        ("ingress: {enabled: true}", "ingress.hosts is empty"),
        ("reflector: {enabled: true, hostNetwork: true}", "Two reflectors would want port 14790"),
        ("service: {port: 14790}", "give each a number of its own"),
        ("kind: DaemonSet\nconfig: {site: a}\nprobe: {targets: [a.example]}", "answered by another node"),
        ("kind: DaemonSet\nconfig: {site: a}\nservice: {port: 14791}", "give each a number of its own"),
        ("nodePort: {metrics: {enabled: true}}", "Set web.existingSecret"),
        (
            "nodePort: {metrics: {enabled: true}}\nconfig: {web: {allowed_sources: [10.0.0.0/8]}}",
            "Set web.existingSecret",
        ),
        ("nodePort: {metrics: {enabled: true}}\nweb: {existingSecret: a}\nshards: 2", "federate"),
        (
            &format!("nodePort: {{metrics: {{enabled: true, {LOCAL}}}}}\nweb: {{existingSecret: a}}"),
            "Pin it with nodeSelector",
        ),
        ("nodePort: {reflector: {enabled: true}}", "Pin it with nodeSelector"),
        ("nodePort: {reflector: {enabled: true}}\nshards: 3", "or kind DaemonSet"),
        (
            "nodePort: {reflector: {enabled: true, externalTrafficPolicy: Cluster}}\nreflector: {allowedSources: [10.0.0.0/8]}",
            "Choose Local, or reflector.existingSecret",
        ),
        (
            "nodePort: {metrics: {enabled: true, port: 30000}, reflector: {enabled: true, port: 30000}}\n\
             web: {existingSecret: a}\nnodeSelector: {a: b}",
            "give each a number of its own",
        ),
        ("web: {tls: true}", "web.existingSecret is empty"),
        (
            "extraArgs: ['--web.listen-address=:9']",
            "the chart sets --web.listen-address itself. Set service.port",
        ),
        ("extraArgs: [--log.level, debug]", "the chart sets --log.level itself. Set logLevel instead"),
        ("extraArgs: [--sandbox=off, --log.format=json]", "Set logFormat instead"),
        ("extraArgs: [--config.file=/x]", "Set config or configText instead"),
        ("extraArgs: [--web.config.file=/x]", "Set web.existingSecret instead"),
        ("extraArgs: [--shard=0/2]", "Set shards instead"),
        ("extraArgs: [--source=a/b]", "Set config.site"),
        ("extraEnv: [{name: NODE_NAME, value: x}]", "the chart sets NODE_NAME itself"),
        ("extraVolumes: [{name: config, emptyDir: {}}]", "has a volume config itself"),
        ("extraVolumeMounts: [{name: x, mountPath: /etc/vxlan_exporter/}]", "choose another mountPath"),
        ("web: {tls: true, existingSecret: a}", "say in serviceMonitor.tlsConfig"),
        ("dcTargets: [{name: a, address: 10.0.0.1}]\nmonitoring: none", "scrape_configs"),
        ("dcTargets: [{name: a, address: 10.0.0.1}, {name: a, address: 10.0.0.2}]", "two have the name a"),
        ("dcTargets: [{name: a, address: dc.example.net}]", "Write an IP address"),
        ("alertmanagerConfig: {enabled: true}\nmonitoring: none", "your Alertmanager's own configuration"),
        ("alertmanagerConfig: {enabled: true}", "set webhook.url"),
        ("alertmanagerConfig: {enabled: true, receiver: slack, slack: {channel: a}}", "slack.existingSecret"),
        ("alertmanagerConfig: {enabled: true, receiver: email}", "set email.to"),
        (
            "alertmanagerConfig: {enabled: true, receiver: email, email: {to: a, from: b, smarthost: 'c:25', username: d}}",
            "email.existingSecret",
        ),
        ("alertmanagerConfig: {enabled: true, receiver: custom}", "alertmanagerConfig.custom"),
    ] {
        let said = refused(&format!("{IMAGE}{values}"), &[]);
        assert!(said.contains(wanted), "{values}: {wanted}\nis not in\n{said}");
    }
}

#[test]
fn without_an_image_it_says_how_to_get_one() {
    let said = refused("", &[]);
    for wanted in ["image.repository is empty", "make image", "docs/rancher.md"] {
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_missing_secret_is_asked_for_by_its_files() {
    let said = refused(&format!("{IMAGE}config: {{{ROUTER}}}"), &[]);
    let command = "kubectl -n cattle-monitoring-system create secret generic vxlan-exporter-files --from-file=id --from-file=known_hosts`";
    for wanted in [command, "knownHosts instead", "set existingSecret"] {
        assert!(said.contains(wanted), "{wanted}\nis not in\n{said}");
    }
    let said = refused(&format!("{IMAGE}config: {{{ROUTER}}}\nknownHosts: 'a b c'"), &[]);
    assert!(said.contains("(id)") && !said.contains("knownHosts"), "{said}");
    let said = refused(&format!("{IMAGE}configText: '{ROUTER}'"), &[]);
    assert!(said.contains(command), "{said}");
}

/// `helm template` knows no cluster. `helm install` does, and without this check a missing operator
/// would end in an error about kinds.
#[test]
fn a_cluster_without_the_operator_is_told_apart_from_no_cluster() -> Result<()> {
    let live = ["--api-versions", "apiregistration.k8s.io/v1"];
    let said = refused(IMAGE, &live);
    assert!(said.contains("install Rancher Monitoring") && said.contains("set monitoring to none"), "{said}");
    let said = refused(&format!("{IMAGE}monitoring: kube-prometheus-stack"), &live);
    assert!(said.contains("install kube-prometheus-stack"), "{said}");
    template(&format!("{IMAGE}monitoring: none"), &live).context("nothing of the operator is needed")?;
    let with_operator = [&live[..], &["--api-versions", "monitoring.coreos.com/v1"]].concat();
    template(IMAGE, &with_operator).context("the operator is there")?;
    let targets =
        format!("{IMAGE}dcTargets: [{{name: a, address: b.example.net}}]\nscrapeConfig: {{enabled: true}}");
    let said = refused(&targets, &with_operator);
    assert!(said.contains("has no ScrapeConfig") && said.contains("set it to auto"), "{said}");
    Ok(())
}
