//! Least privilege, field by field, as the Pod Security Standards list them.

use serde_json::{Value, json};

use super::helm::{RENDERED, kind, list, only, pods, render, text};

/// Sysctls of the level `baseline`.
const SAFE_SYSCTLS: [&str; 9] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
];

/// Volumes of the level `restricted`.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn is_unset(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false))
}

/// Why the level `restricted` would refuse a pod; empty if it would not.
fn violations(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let spec = &pod["spec"];
    let of_pod = &spec["securityContext"];
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        must(is_unset(&spec[field]), field);
    }
    for volume in list(&spec["volumes"]) {
        let kinds =
            volume.as_object().into_iter().flat_map(|volume| volume.keys()).filter(|key| *key != "name");
        must(kinds.into_iter().all(|kind| VOLUMES.contains(&kind.as_str())), "volumes");
    }
    for sysctl in list(&of_pod["sysctls"]) {
        must(SAFE_SYSCTLS.contains(&text(&sysctl["name"])), "sysctls");
    }
    let annotations = pod.pointer("/metadata/annotations").and_then(Value::as_object);
    let app_armor = |key: &String| key.starts_with("container.apparmor.security.beta.kubernetes.io/");
    must(!annotations.is_some_and(|annotations| annotations.keys().any(app_armor)), "AppArmor annotation");
    let containers = ["initContainers", "containers", "ephemeralContainers"];
    for container in containers.iter().flat_map(|key| list(&spec[*key])) {
        let own = &container["securityContext"];
        // A field that a container does not set is that of its pod.
        let either = |field: &str| if own[field].is_null() { &of_pod[field] } else { &own[field] };
        must(is_unset(&own["privileged"]), "privileged");
        must(own["allowPrivilegeEscalation"] == false, "allowPrivilegeEscalation");
        must(list(&own["capabilities"]["drop"]).contains(&json!("ALL")), "capabilities.drop");
        let harmless = |capability| capability == "NET_BIND_SERVICE";
        must(list(&own["capabilities"]["add"]).iter().all(harmless), "capabilities.add");
        must(either("runAsNonRoot") == true, "runAsNonRoot");
        must(either("runAsUser") != 0, "runAsUser");
        must(
            ["RuntimeDefault", "Localhost"].contains(&text(&either("seccompProfile")["type"])),
            "seccompProfile",
        );
        must(
            ["", "RuntimeDefault", "Localhost"].contains(&text(&either("appArmorProfile")["type"])),
            "appArmorProfile",
        );
        must(either("seLinuxOptions").is_null(), "seLinuxOptions");
        must(is_unset(&either("windowsOptions")["hostProcess"]), "hostProcess");
        must(["", "Default"].contains(&text(&own["procMount"])), "procMount");
        for port in list(&container["ports"]) {
            must(port["hostPort"].is_null() || port["hostPort"] == 0, "hostPort");
        }
        for hook in [
            "/livenessProbe",
            "/readinessProbe",
            "/startupProbe",
            "/lifecycle/postStart",
            "/lifecycle/preStop",
        ] {
            for action in ["httpGet", "tcpSocket"] {
                let host = container.pointer(&format!("{hook}/{action}/host"));
                must(host.is_none_or(|host| text(host).is_empty()), "host of a probe");
            }
        }
    }
    found
}

#[test]
fn in_a_pods_network_the_restricted_level_is_enough() {
    let files = ["pod-values.yaml", "shards-values.yaml"];
    let pods = files.iter().flat_map(|file| pods(&RENDERED[*file]));
    let pods = pods.collect::<Vec<_>>();
    assert_eq!(pods.len(), 4, "two workloads, two tests: {pods:#?}");
    for (name, pod) in pods {
        assert_eq!(violations(pod), [""; 0], "{name}");
    }
}

#[test]
fn elsewhere_nothing_but_the_nodes_network_and_net_raw_is_more() {
    for (file, objects) in &*RENDERED {
        for (name, pod) in pods(objects) {
            let mut allowed = match () {
                () if name.ends_with("-test") => vec![],
                () if name.ends_with("-reflector") => vec!["hostNetwork"],
                () => vec!["hostNetwork", "capabilities.add"],
            };
            let found = violations(pod);
            allowed.retain(|violation| found.iter().any(|found| found == violation));
            assert_eq!(found, allowed, "{file}: {name}");
            for container in list(&pod["spec"]["containers"]) {
                let capabilities = &container["securityContext"]["capabilities"];
                let added = list(&capabilities["add"]);
                assert!(added.is_empty() || added == [json!("NET_RAW")], "{file}: {added:?}");
                assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{file}");
            }
            assert_eq!(pod["spec"]["automountServiceAccountToken"], false, "{file}");
        }
    }
}

#[test]
fn each_field_of_the_level_is_looked_at() {
    let objects = render("vantage: pod");
    let good = only(&objects, "Deployment", "").pointer("/spec/template").expect("a pod");
    assert_eq!(violations(good), [""; 0]);
    let container = "/spec/containers/0";
    for (parent, key, value, wanted) in [
        ("/spec", "hostNetwork", json!(true), "hostNetwork"),
        ("/spec", "hostPID", json!(true), "hostPID"),
        ("/spec", "hostIPC", json!(true), "hostIPC"),
        ("/spec", "volumes", json!([{"name": "x", "hostPath": {"path": "/"}}]), "volumes"),
        ("/spec/securityContext", "sysctls", json!([{"name": "kernel.msgmax", "value": "1"}]), "sysctls"),
        ("/spec/securityContext", "runAsUser", json!(0), "runAsUser"),
        ("/spec/securityContext", "seccompProfile", json!({"type": "Unconfined"}), "seccompProfile"),
        ("/spec/securityContext", "seLinuxOptions", json!({"type": "spc_t"}), "seLinuxOptions"),
        (
            "/metadata",
            "annotations",
            json!({"container.apparmor.security.beta.kubernetes.io/x": "unconfined"}),
            "AppArmor annotation",
        ),
        (container, "securityContext/privileged", json!(true), "privileged"),
        (container, "securityContext/allowPrivilegeEscalation", json!(true), "allowPrivilegeEscalation"),
        (container, "securityContext/runAsNonRoot", json!(false), "runAsNonRoot"),
        (
            container,
            "securityContext/capabilities",
            json!({"drop": ["ALL"], "add": ["NET_RAW"]}),
            "capabilities.add",
        ),
        (container, "securityContext/capabilities", json!({"drop": ["NET_RAW"]}), "capabilities.drop"),
        (container, "securityContext/procMount", json!("Unmasked"), "procMount"),
        (container, "securityContext/appArmorProfile", json!({"type": "Unconfined"}), "appArmorProfile"),
        (container, "securityContext/windowsOptions", json!({"hostProcess": true}), "hostProcess"),
        (container, "ports", json!([{"containerPort": 1, "hostPort": 1}]), "hostPort"),
        (
            container,
            "livenessProbe",
            json!({"tcpSocket": {"port": 1, "host": "10.0.0.1"}}),
            "host of a probe",
        ),
    ] {
        let mut bad = good.clone();
        let pointer = format!("{parent}/{key}");
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        bad.pointer_mut(parent).expect(parent)[key] = value;
        assert_eq!(violations(&bad), [wanted], "{pointer}");
    }
}

#[test]
fn the_sysctl_for_ping_is_set_where_it_is_the_pods_own() {
    for (name, pod) in pods(&[render(""), render("vantage: pod")].concat()) {
        let host = pod["spec"]["hostNetwork"] == true;
        let sysctls = pod.pointer("/spec/securityContext/sysctls").map_or(&[][..], list);
        assert_eq!(sysctls.is_empty(), host, "{name}");
    }
}

/// A Secret's file of mode 0400 belongs to root: nobody else could read it.
#[test]
fn secrets_are_readable_by_the_group_and_mounted_where_they_are_needed() {
    let mut seen = 0;
    for (file, objects) in &*RENDERED {
        for (name, pod) in pods(objects) {
            assert_eq!(pod.pointer("/spec/securityContext/fsGroup"), Some(&json!(65532)), "{file}: {name}");
            for volume in list(&pod["spec"]["volumes"]) {
                if volume["name"] == "more" {
                    continue;
                }
                let mode = ["projected", "secret"].map(|kind| &volume[kind]["defaultMode"]);
                assert!(mode.contains(&&json!(0o440)), "{file}: {name}: {volume}");
                seen += 1;
            }
            let secrets = pod["spec"]["volumes"].to_string();
            let keys = ["id_ed25519", "api-key", "\"password\""].iter().any(|key| secrets.contains(key));
            let reads_routers = !name.ends_with("-nodes") && !name.ends_with("-reflector");
            assert!(!keys || reads_routers, "{file}: {name} mounts {secrets}");
        }
        for map in kind(objects, "ConfigMap") {
            assert!(!map.to_string().contains("PRIVATE KEY"), "{file}");
        }
        assert_eq!(kind(objects, "Secret").len(), 0, "{file}: the chart makes no Secret");
    }
    assert!(seen > 15, "{seen}");
    let nodes = &RENDERED["daemonset-values.yaml"];
    let volumes = only(nodes, "DaemonSet", "-nodes").pointer("/spec/template/spec/volumes").expect("volumes");
    let sources = list(&volumes[0]["projected"]["sources"]);
    let items =
        sources.iter().flat_map(|source| list(&source["secret"]["items"])).map(|item| text(&item["key"]));
    assert_eq!(items.collect::<Vec<_>>(), ["rancher-secret", "reflector-secret"]);
}
