//! Where pods run, and the names by which they are reached.

use serde_json::json;

use super::helm::{RENDERED, kind, list, only, pods, render, text};

#[test]
fn pods_run_where_rancher_lets_them() {
    for (file, objects) in &*RENDERED {
        for (name, pod) in pods(objects) {
            let spec = &pod["spec"];
            // Clusters with Windows taint their Linux nodes.
            assert_eq!(spec["nodeSelector"]["kubernetes.io/os"], "linux", "{file}: {name}");
            let taint =
                json!({"key": "cattle.io/os", "operator": "Equal", "value": "linux", "effect": "NoSchedule"});
            assert!(list(&spec["tolerations"]).contains(&taint), "{file}: {name}");
            // Otherwise names of the cluster would be unknown in a node's network.
            let dns = if spec["hostNetwork"] == true { "ClusterFirstWithHostNet" } else { "" };
            assert_eq!(text(&spec["dnsPolicy"]), dns, "{file}: {name}");
            assert_eq!(spec["enableServiceLinks"], false, "{file}: {name}");
        }
        for set in kind(objects, "DaemonSet") {
            let tolerations = list(&set["spec"]["template"]["spec"]["tolerations"]);
            for effect in ["NoSchedule", "NoExecute"] {
                let everything = json!({"effect": effect, "operator": "Exists"});
                assert!(tolerations.contains(&everything), "{file}: every node means every node");
            }
        }
    }
}

#[test]
fn what_is_chosen_of_a_pod_is_in_it() {
    let objects = &RENDERED["none-values.yaml"];
    let template = &only(objects, "Deployment", "")["spec"]["template"];
    let (metadata, spec) = (&template["metadata"], &template["spec"]);
    assert_eq!(
        (&metadata["labels"]["team"], &metadata["labels"]["colour"]),
        (&json!("network"), &json!("blue"))
    );
    assert_eq!(metadata["annotations"]["note"], "1");
    assert_eq!(spec["serviceAccountName"], "mine");
    assert_eq!(kind(objects, "ServiceAccount").len(), 0);
    assert_eq!(spec["priorityClassName"], "system-node-critical");
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "registry"}]));
    assert!(list(&spec["tolerations"]).contains(&json!({"key": "role", "operator": "Exists"})));
    assert!(spec["affinity"]["nodeAffinity"].is_object());
    let container = &spec["containers"][0];
    assert!(list(&container["args"]).contains(&json!("--web.enable-lifecycle")));
    assert!(list(&container["args"]).contains(&json!("--log.format=json")));
    assert!(list(&container["env"]).contains(&json!({"name": "TZ", "value": "UTC"})));
    assert!(list(&container["volumeMounts"]).iter().any(|mount| mount["mountPath"] == "/more"));
    assert_eq!(only(objects, "ConfigMap", "-note")["metadata"]["name"], "vxlan-exporter-note");
    only(objects, "ConfigMap", "text");
}

/// What other charts have too: under its usual name, at its usual place.
#[test]
fn the_usual_values_do_what_they_usually_do() {
    let objects = &RENDERED["everything-values.yaml"];
    assert!(objects.iter().all(|object| object["metadata"]["namespace"] == "watch"));
    let deployment = only(objects, "Deployment", "");
    // The release's name does not contain it, so it is put behind.
    assert_eq!(deployment["metadata"]["name"], "vxlan-exporter-overlay");
    assert_eq!(deployment["metadata"]["labels"]["app.kubernetes.io/name"], "vxlan-exporter");
    let spec = &deployment["spec"];
    assert_eq!((&spec["replicas"], &spec["revisionHistoryLimit"]), (&json!(1), &json!(2)));
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}});
    assert_eq!(spec["strategy"], strategy);
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["dnsConfig"]["options"][0]["name"], "ndots");
    assert_eq!(pod["topologySpreadConstraints"][0]["topologyKey"], "kubernetes.io/hostname");
    let security = &pod["securityContext"];
    // The chart's own stay.
    assert_eq!(security["fsGroupChangePolicy"], "OnRootMismatch");
    assert_eq!((&security["fsGroup"], &security["runAsNonRoot"]), (&json!(65532), &json!(true)));
    let [exporter, beside] = list(&pod["containers"]) else { panic!("{pod:#?}") };
    assert_eq!(beside["name"], "beside");
    assert_eq!(exporter["securityContext"]["runAsUser"], 2000);
    assert_eq!(exporter["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(exporter["envFrom"], json!([{"secretRef": {"name": "more"}}]));
    let liveness = &exporter["livenessProbe"];
    assert_eq!(
        (&liveness["periodSeconds"], &liveness["timeoutSeconds"], &liveness["failureThreshold"]),
        (&json!(20), &json!(5), &json!(6))
    );
    assert_eq!(exporter["readinessProbe"]["timeoutSeconds"], 2);
    for service in kind(objects, "Service") {
        assert_eq!(service["metadata"]["labels"]["team"], "network");
        assert_eq!(service["metadata"]["annotations"]["metallb.io/address-pool"], "inside");
    }
    let many = render("replicas: 3");
    assert_eq!(only(&many, "StatefulSet", "")["spec"]["replicas"], 3);
    let nodes = render("kind: DaemonSet\nconfig: {site: a}\ndaemonSetUpdateStrategy: {type: OnDelete}");
    assert_eq!(only(&nodes, "DaemonSet", "-nodes")["spec"]["updateStrategy"], json!({"type": "OnDelete"}));
}

/// Only ready pods have an address under a headless name: the test that looks one up finds a ready
/// exporter.
#[test]
fn the_test_of_an_installation_looks_for_a_ready_exporter() {
    let objects = render("");
    let service = only(&objects, "Service", "");
    assert_eq!(service["spec"]["clusterIP"], "None");
    let test = only(&objects, "Pod", "-test");
    assert_eq!(test["metadata"]["annotations"]["helm.sh/hook"], "test");
    let containers = list(&test["spec"]["containers"]);
    let arguments =
        containers.iter().map(|container| list(&container["args"]).iter().map(text).collect::<Vec<_>>());
    assert_eq!(
        arguments.collect::<Vec<_>>(),
        [
            vec!["config", "check", "--config.file=/etc/vxlan_exporter/config.yml"],
            vec!["probe", "--count=20", "vxlan-exporter.cattle-monitoring-system.svc:14789"],
        ]
    );
}

/// Behind a NodePort a node would answer for the pod's smaller interface.
#[test]
fn reflectors_alone_are_in_the_network_of_every_node() {
    let set = only(&RENDERED["reflector-values.yaml"], "DaemonSet", "-reflector");
    let spec = &set["spec"]["template"]["spec"];
    assert_eq!(spec["hostNetwork"], true);
    let secret = &spec["volumes"][0]["secret"];
    let items = json!([{"key": "reflector-secret", "path": "reflector-secret"}]);
    assert_eq!((text(&secret["secretName"]), &secret["items"]), ("site-a-reflector", &items));
    // Under `vantage: pod` the reflectors are the only pods that still need it.
    let objects = render("vantage: pod\nreflector: {hostNetwork: true}");
    assert!(only(&objects, "Deployment", "")["spec"]["template"]["spec"].get("hostNetwork").is_none());
    assert_eq!(only(&objects, "DaemonSet", "-reflector")["spec"]["template"]["spec"]["hostNetwork"], true);
}
