//! Reading a router on which the best method does not work. VyOS's op-mode is a script at VyOS's
//! path, in the router's own mount namespace, that prints captured output.

use std::{fs, net::TcpListener, time::Duration};

use vxlan_exporter::{
    model::{
        plan::RouterPlan,
        snapshot::Counters,
        types::{FailureReason, Method},
    },
    router::Worker,
};

use super::reading::{Login as _, key, router_plan, scrape, success};
use crate::support::api_router::{Certificate, Server};
use lab::ssh_router::{Router, with_router, with_router_after};

/// `ip` that is denied until `$D/ip-works` exists; op-mode scripts that record each run in
/// `$D/ran`.
const VYOS: &str = r#"
mount -t tmpfs none /opt && mkdir -p /opt/vyatta/bin /opt/vyatta/etc
mount -t tmpfs none /usr/libexec && mkdir -p /usr/libexec/vyos/op_mode
ip=$(readlink -f "$(command -v ip)")
cp "$ip" "$D/real-ip"
cat > "$D/ip" <<END
#!/bin/sh
[ -e "$D/ip-works" ] && exec "$D/real-ip" "\$@"
echo "ip: \$(cat "$D/says")" >&2
exit \$(cat "$D/code")
END
cat > /usr/libexec/vyos/op_mode/interfaces.py <<END
#!/bin/sh
echo "raw \$*" >> "$D/ran"
cat "$D/raw"
END
cat > /opt/vyatta/bin/vyatta-op-cmd-wrapper <<END
#!/bin/sh
echo "wrapper \$*" >> "$D/ran"
cat "$D/\$*"
END
chmod +x "$D/ip" /usr/libexec/vyos/op_mode/interfaces.py /opt/vyatta/bin/vyatta-op-cmd-wrapper
echo "${SAYS:-command not found}" > "$D/says"; echo "${CODE:-127}" > "$D/code"
mount --bind "$D/ip" "$ip"
"#;

const DENIED: &str = "SAYS='Permission denied'; CODE=126";

const DETAIL: &str = "show interfaces vxlan detail";

fn corpus(file: &str) -> String {
    fs::read_to_string(format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A router with these op-mode outputs.
fn with_vyos(setup: &str, outputs: &[(&str, &str)], test: impl FnOnce(&Router) + Send) {
    with_router_after(&format!("{setup}\n{VYOS}"), "", |router| {
        for (name, text) in outputs {
            fs::write(router.path(name), text).unwrap();
        }
        test(router);
    });
}

fn plan(router: &Router) -> RouterPlan {
    router_plan(&router.plan())
}

fn ran(router: &Router) -> Vec<String> {
    let text = fs::read_to_string(router.path("ran")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn logins(router: &Router) -> usize {
    router.log().matches("Accepted publickey").count()
}

#[test]
fn without_ip_op_modes_json_is_read_on_the_same_session_and_remembered() {
    with_vyos("", &[("raw", &corpus("v14-raw-vxlan01.json"))], |router| {
        let mut worker = Worker::new(&plan(router));
        let first = scrape(&mut worker);
        let snapshot = success(&first);
        assert_eq!(snapshot.method, Method::Raw);
        let link = snapshot.vxlan_links().next().unwrap();
        assert_eq!(
            (link.mtu, link.ifindex, link.counters.tx_carrier_errors),
            (Some(9000), Some(7), Some(34))
        );
        assert_eq!(link.vxlan, None, "no VNI, remote or port is made up");
        assert!(snapshot.boot_id.is_some() && snapshot.uptime.is_some());
        let asked = ran(router).len();
        success(&scrape(&mut worker));
        assert_eq!(ran(router).len(), 2 * asked, "one run per scrape: {:?}", ran(router));
        assert_eq!(logins(router), 1);
    });
}

#[test]
fn counters_since_a_clear_are_left_out() {
    let cleared =
        corpus("v14-raw-vxlan01.json").replace("\"counters_last_clear\": 0", "\"counters_last_clear\": 9");
    with_vyos("", &[("raw", &cleared)], |router| {
        let reading = scrape(&mut Worker::new(&plan(router)));
        let link = success(&reading).link("vxlan01").unwrap();
        assert_eq!((link.mtu, link.counters), (Some(9000), Counters::default()));
    });
}

#[test]
fn a_user_who_may_only_show_vxlan_interfaces_is_read_by_the_text() {
    let nobody = "rm -f /usr/libexec/vyos/op_mode/interfaces.py";
    let setup = format!("{DENIED}\n{VYOS}\n{nobody}");
    with_router_after(&setup, "", |router| {
        fs::write(router.path(DETAIL), corpus("v14-detail.txt")).unwrap();
        fs::write(router.path("show version"), "Version:          VyOS 1.3.8\n").unwrap();
        let mut worker = Worker::new(&plan(router));
        let first = scrape(&mut worker);
        let snapshot = success(&first);
        assert_eq!((snapshot.method, snapshot.version.as_deref()), (Method::Text, Some("VyOS 1.3.8")));
        let names: Vec<_> = snapshot.vxlan_links().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["vxlan01", "vxlan02"]);
        let link = snapshot.link("vxlan02").unwrap();
        assert_eq!((link.ifindex, &link.vxlan, link.counters.tx_errors), (None, &None, Some(64)));
        success(&scrape(&mut worker));
        assert_eq!(logins(router), 1);
        // An output that is cut short is not used.
        fs::write(router.path(DETAIL), &corpus("v14-detail.txt")[..900]).unwrap();
        assert_eq!(scrape(&mut worker).failure.unwrap().reason, FailureReason::Truncated);
    });
}

#[test]
fn where_nothing_works_the_best_methods_reason_stands_and_the_best_comes_back_at_once() {
    let refused = "You do not have a permission to execute VyOS command [show interfaces vxlan detail]";
    let setup = format!(
        "{DENIED}\n{VYOS}\nprintf '#!/bin/sh\\necho \"{refused}\" >&2; exit 1\\n' > /opt/vyatta/bin/vyatta-op-cmd-wrapper"
    );
    with_router_after(&setup, "", |router| {
        let mut worker = Worker::new(&plan(router));
        fs::write(router.path("raw"), corpus("v14-raw-vxlan01.json")).unwrap();
        assert_eq!(success(&scrape(&mut worker)).method, Method::Raw);
        fs::remove_file(router.path("raw")).unwrap();
        // Only methods no better than the remembered one were tried, and gave the reason.
        let failure = scrape(&mut worker).failure.unwrap();
        assert!(failure.message.contains("interfaces.py"), "{failure}");
        let failure = scrape(&mut worker).failure.unwrap();
        assert_eq!(failure.reason, FailureReason::Permission, "{failure}");
        for words in
            ["Permission denied", "then by raw: `interfaces.py", "then by text: ", "do not have a permission"]
        {
            assert!(failure.message.contains(words), "{failure}");
        }
        fs::write(router.path("ip-works"), "").unwrap();
        assert_eq!(success(&scrape(&mut worker)).method, Method::Ip);
        assert_eq!(logins(router), 3, "anew after each scrape in which nothing worked: {}", router.log());
    });
}

#[test]
fn the_api_is_asked_where_the_user_may_run_nothing() {
    with_router_after(VYOS, "ForceCommand echo This account is currently not available.", |router| {
        let server = Server::start(Certificate::SelfSigned, "good 1.5");
        let mut plan = plan(router);
        plan.api = Some(server.pinned());
        let mut worker = Worker::new(&plan);
        for _ in 0..2 {
            let reading = scrape(&mut worker);
            assert_eq!(success(&reading).method, Method::Api);
        }
        assert_eq!(logins(router), 1, "the API is remembered");
        // Both are broken: the better one's reason is reported, with both messages.
        server.mode("html-503");
        let failure = scrape(&mut worker).failure.unwrap();
        assert_eq!(failure.reason, FailureReason::Api, "{failure}");
        let failure = scrape(&mut worker).failure.unwrap();
        assert_eq!(failure.reason, FailureReason::Command, "{failure}");
        assert!(failure.message.contains("then by api: https://127.0.0.1:"), "{failure}");
    });
}

#[test]
fn a_session_that_hangs_leaves_time_for_the_api() {
    with_router("", |router| {
        let server = Server::start(Certificate::SelfSigned, "good 1.5");
        let _silent = TcpListener::bind("127.0.0.1:2223").unwrap();
        router.know(&format!("127.0.0.1 {}\n", router.host_key("ed25519")));
        let mut login = router.plan();
        login.port = 2223;
        let mut plan = router_plan(&login);
        plan.scrape_timeout = Duration::from_secs(10);
        plan.api = Some(server.pinned());
        let mut worker = Worker::new(&plan);
        assert_eq!(success(&scrape(&mut worker)).method, Method::Api);
        let reading = scrape(&mut worker);
        assert_eq!(success(&reading).method, Method::Api);
        assert!(reading.duration < plan.scrape_timeout / 2, "SSH is not tried again: {:?}", reading.duration);
    });
}

#[test]
fn a_refused_login_is_tried_once_per_scrape() {
    with_router("", |router| {
        router.new_key("stranger", "ed25519");
        let mut login = router.plan();
        login.credential = key(router.path("stranger"));
        let mut worker = Worker::new(&router_plan(&login));
        for scrapes in 1..=2 {
            assert_eq!(scrape(&mut worker).failure.unwrap().reason, FailureReason::Auth);
            assert_eq!(router.log().matches("Connection from").count(), scrapes, "{}", router.log());
        }
    });
}
