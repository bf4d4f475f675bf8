"""Exporter health: whether anybody watches, and how well."""

from grafana import (
    GREEN, GREY, ORANGE, RED, SCRAPE, by_name, dashboard, mapping, now, row, rows, series, stat, table, timeline,
    timeseries,
)

UID = "vxlan-exporter-health"

INSTANCE = "cluster, job, instance"
# That of a reflector is no fault where no path has one.
CAPABILITIES = f"""
min by ({INSTANCE}, name) (
  vxlan_exporter_capability{{{SCRAPE}, name!="reflector"}}
  or (vxlan_exporter_capability{{{SCRAPE}, name="reflector"}} and on ({INSTANCE}) vxlan_path_info{{{SCRAPE}, reflector!=""}})
)
"""
NONE = mapping({0: ("none", GREEN)})


def at_a_glance():
    yield stat(
        "Exporters down",
        "Targets that Prometheus cannot scrape. None of their tunnels and paths is monitored.",
        (0, 0, 6, 4), [now(f"sum(1 - up{{{SCRAPE}}})")], mappings=NONE,
    )
    yield stat(
        "Configurations refused",
        "Exporters whose last reload of the configuration failed; they continue with the previous one.",
        (6, 0, 6, 4), [now(f"sum(1 - vxlan_exporter_config_last_reload_successful{{{SCRAPE}}})")], mappings=NONE,
    )
    yield stat(
        "Longest since a router was read",
        "The age of the oldest router data on these pages.",
        (12, 0, 6, 4), [now(f"max(time() - vxlan_router_last_success_timestamp_seconds{{{SCRAPE}}})")],
        unit="s", steps=((None, GREEN), (90, ORANGE), (300, RED)),
    )
    yield stat(
        "Longest since a path was probed",
        "The age of the last probe on the path that has waited longest. Its verdict is that old.",
        (18, 0, 6, 4), [now(f"max(time() - vxlan_path_last_probe_timestamp_seconds{{{SCRAPE}}})")],
        unit="s", steps=((None, GREEN), (30, ORANGE), (120, RED)),
    )
    yield table(
        "Exporters",
        "Each exporter, its version, when it was started and when it read its configuration, and whether Prometheus can scrape it.",
        (0, 4, 13, 7),
        [
            rows(f"min by ({INSTANCE}) (up{{{SCRAPE}}})"),
            rows(f"group by ({INSTANCE}, version) (vxlan_exporter_build_info{{{SCRAPE}}})"),
            rows(f"1000 * max by ({INSTANCE}) (process_start_time_seconds{{{SCRAPE}}})"),
            rows(f"1000 * max by ({INSTANCE}) (vxlan_exporter_config_last_reload_success_timestamp_seconds{{{SCRAPE}}})"),
        ],
        {
            "instance": "instance", "job": "job", "Value #A": "state", "version": "version", "Value #C": "started",
            "Value #D": "config read",
        },
        sort=[("state", False)],
        overrides=[
            by_name("state", mappings=mapping({0: ("down", RED), 1: ("up", GREEN)}), custom__displayMode="color-background-solid"),
            by_name("started", unit="dateTimeFromNow"),
            by_name("config read", unit="dateTimeFromNow"),
        ],
        widths={"job": 120, "state": 60, "version": 75, "started": 125, "config read": 125},
    )
    yield timeline(
        "What it may do",
        "Capabilities of each exporter. Without icmp_socket and net_raw only TCP ports are probed; without net_raw the direction of a black hole stays "
        "unknown. A reflector is listed once a path has used one.",
        (13, 4, 11, 7),
        [series(CAPABILITIES, "{{instance}} {{name}}")],
        {0: ("no", GREY), 1: ("yes", GREEN)},
    )


def routers():
    yield row("Reading routers", 11)
    yield timeseries(
        "Time a router takes",
        "How long the last attempt to read each router took.",
        (0, 12, 12, 8),
        [series(f"max by ({INSTANCE}, router) (vxlan_router_scrape_duration_seconds{{{SCRAPE}}})", "{{instance}} {{router}}")],
        "s", min=0, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Failed attempts, by reason",
        "Failed attempts to read a router. docs/routers.md explains each reason.",
        (12, 12, 12, 8),
        [
            series(
                f"sum by (router, reason) (increase(vxlan_router_scrape_failures_total{{{SCRAPE}}}[$__rate_interval])) > 0",
                "{{router}} {{reason}}",
            )
        ],
        "none", min=0, noValue="No attempt failed", calcs=("lastNotNull", "max"),
    )


def probing():
    yield row("Probing", 20)
    yield timeseries(
        "Small echoes (packets/s)",
        "Small echoes sent and answered. Late ones came back after the probe timeout, but within 5 s.",
        (0, 21, 12, 8),
        [
            series(f"sum by ({INSTANCE}) (rate(vxlan_path_echo_requests_total{{{SCRAPE}}}[$__rate_interval]))", "{{instance}} sent"),
            series(f"sum by ({INSTANCE}) (rate(vxlan_path_echo_replies_total{{{SCRAPE}}}[$__rate_interval]))", "{{instance}} answered"),
            series(f"sum by ({INSTANCE}) (rate(vxlan_path_echo_late_total{{{SCRAPE}}}[$__rate_interval]))", "{{instance}} late"),
        ],
        "none", min=0,
    )
    yield timeseries(
        "Probes of a given size (packets/s)",
        "Packets that test sizes, by protocol, purpose and result.",
        (12, 21, 12, 8),
        [
            series(
                f"sum by (protocol, size, result) (rate(vxlan_exporter_size_probes_total{{{SCRAPE}}}[$__rate_interval])) > 0",
                "{{protocol}} {{size}} {{result}}",
            )
        ],
        "none", min=0, legend="list", calcs=(),
    )


def process():
    yield row("Process", 29)
    yield timeseries(
        "Processor",
        "Processor time used, in cores.",
        (0, 30, 8, 7), [series(f"rate(process_cpu_seconds_total{{{SCRAPE}}}[$__rate_interval])", "{{instance}}")],
        "none", min=0, decimals=3, calcs=("mean", "max"),
    )
    yield timeseries(
        "Memory",
        "Resident memory.",
        (8, 30, 8, 7), [series(f"process_resident_memory_bytes{{{SCRAPE}}}", "{{instance}}")],
        "bytes", min=0, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Threads and open files",
        "Both depend on the number of routers and paths, and do not grow with time.",
        (16, 30, 8, 7),
        [
            series(f"process_threads{{{SCRAPE}}}", "{{instance}} threads"),
            series(f"process_open_fds{{{SCRAPE}}}", "{{instance}} files"),
        ],
        "none", min=0, calcs=("lastNotNull", "max"),
    )


DASHBOARD = dashboard(
    UID, "Exporter health",
    "Whether the exporters run, their privileges, how long they take for routers and paths, and their resource use.",
    [], [*at_a_glance(), *routers(), *probing(), *process()],
)
