"""VXLAN overlay: what is wrong, where, and what to type; below that, since when and how much."""

from grafana import (
    BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SCRAPE, buckets, by_name, by_regexp, dashboard, fixed, heatmap, mapping,
    now, row, rows, series, stat, table, thresholds, timeline, timeseries, variable,
)

UID = "vxlan-overlay"

PATHS = f'{SCRAPE}, path=~"$path"'
# Two exporters that probe one path from one source, or read one router, count as one.
PATH = "namespace, cluster, source, path"
TUNNEL = "namespace, cluster, tunnel"
END = "namespace, cluster, router, interface"

VERDICTS = {
    1: ("ok", GREEN),
    2: ("reduced", BLUE),
    3: ("unknown", GREY),
    4: ("lossy", ORANGE),
    5: ("black hole", RED),
    6: ("unreachable", PURPLE),
}
WORDS = ("ok", "reduced", "unknown", "lossy", "blackhole", "unreachable")
HOLES = {0: ("-", None), 1: ("forward", RED), 2: ("reverse", RED), 3: ("both ways", RED), 4: ("which way?", RED)}
HOLES |= {8: ("TCP", RED)} | {8 + number: (f"TCP, {word}", RED) for number, (word, _) in HOLES.items() if number}


def verdict():
    """The verdict as a number, the worst one where several exporters judge."""
    terms = [
        f'{number} * (vxlan_path_verdict{{{PATHS}, verdict="{word}"}} == 1)' for number, word in enumerate(WORDS, 1)
    ]
    return f"max by ({PATH}) (\n  " + "\n  or ".join(terms) + "\n)"


def with_verdict(*words):
    """How many paths have one of these verdicts; nothing where nobody judges."""
    matcher = f'="{words[0]}"' if len(words) == 1 else f'=~"{"|".join(words)}"'
    return f"sum(max by ({PATH}) (vxlan_path_verdict{{{PATHS}, verdict{matcher}}}))"


def hole():
    """Directions in which large packets vanish, and whether TCP does, as a number of HOLES."""
    terms = [
        f'{number} * max by ({PATH}, direction) (vxlan_path_blackhole{{{PATHS}, direction="{direction}"}})'
        for number, direction in ((1, "forward"), (2, "reverse"), (4, "unknown"))
    ]
    terms.append(f'8 * max by ({PATH}, reason) (vxlan_path_blackhole_reason{{{PATHS}, reason="tcp_dead"}})')
    return f"sum by ({PATH}) (\n  " + "\n  or ".join(terms) + "\n)"


def path_mtu(direction):
    return f'min by ({PATH}) (vxlan_path_mtu_bytes{{{PATHS}, direction="{direction}"}})'


EXPECTED = f"max by ({PATH}) (vxlan_path_expected_mtu_bytes{{{PATHS}}})"
TESTABLE = f"min by ({PATH}) (vxlan_path_testable_mtu_bytes{{{PATHS}}})"
P99 = 'path:vxlan_path_rtt_seconds:p99_rate5m{path=~"$path"}'
LOSS = 'path:vxlan_path_loss:ratio_rate5m{path=~"$path"}'

TUNNELS_IN_TROUBLE = f"""
    count(
      min by ({TUNNEL}) (vxlan_tunnel_up{{{SCRAPE}}}) == 0
      or max by ({TUNNEL}) (vxlan_tunnel_mismatch{{{SCRAPE}}}) == 1
      or max by ({TUNNEL}) (vxlan_tunnel_info{{{SCRAPE}, state=~"half|ambiguous"}})
    )
    or 0 * count(vxlan_tunnel_info{{{SCRAPE}}})
"""


def of_ends(value):
    """A number of an interface, at the end of its tunnel."""
    return f"""
    tunnel_end:vxlan_tunnel:info
      * on ({END}) group_left ()
      {value}
    """


# A gauge, over the readers of both ends.
def reading(metric):
    return f"max by ({END}) ({metric}{{{SCRAPE}}})"


def problems():
    """The top of the page."""
    yield stat(
        "Black holes",
        "Paths on which large packets, or all of TCP, are proven to vanish without a signal: ping works, HTTPS hangs.",
        (0, 0, 4, 4), now(with_verdict("blackhole")),
        mappings=mapping({0: ("none", GREEN)}),
    )
    yield stat(
        "Unreachable",
        "Paths on which no packet of any size comes back.",
        (4, 0, 4, 4), now(with_verdict("unreachable")),
        steps=((None, GREEN), (1, PURPLE)), mappings=mapping({0: ("none", GREEN)}),
    )
    yield stat(
        "Lossy",
        "Paths whose loss of small echoes is above `loss_threshold`, with 95 % confidence, or on which loss grows with packet size.",
        (8, 0, 4, 4), now(with_verdict("lossy")),
        steps=((None, GREEN), (1, ORANGE)), mappings=mapping({0: ("none", GREEN)}),
    )
    yield stat(
        "Reduced or unknown",
        "Paths on which path MTU discovery works but ends below the expected MTU, and paths without enough proof for a verdict.",
        (12, 0, 4, 4), now(with_verdict("reduced", "unknown")),
        steps=((None, GREEN), (1, BLUE)), mappings=mapping({0: ("none", GREEN)}),
    )
    yield stat(
        "Tunnels in trouble",
        "Tunnels that are down, whose ends disagree on a setting, or of which only one end is known.",
        (16, 0, 4, 4), now(TUNNELS_IN_TROUBLE), mappings=mapping({0: ("none", GREEN)}),
    )
    yield stat(
        "Routers not read",
        "Routers that the exporter could not read at its last attempt: their data is missing here.",
        (20, 0, 4, 4), now(f"sum(1 - min by (namespace, cluster, router) (vxlan_router_up{{{SCRAPE}}}))"),
        steps=((None, GREEN), (1, ORANGE)), mappings=mapping({0: ("none", GREEN)}),
    )
    yield timeline(
        "Verdicts",
        "What a host that does path MTU discovery experiences on each path.",
        (0, 4, 10, 8), [series(verdict(), "{{source}} → {{path}}")], VERDICTS,
    )
    first = 'label_replace(vxlan_path_fix_info{%s}, "step", "0$1", "step", "(.)")' % PATHS
    yield table(
        "What to type",
        "VyOS commands that fix the paths above, in the safe order: `configure` first, then these, then `commit` and `save` "
        "on each router. Paths: the number of paths that need the command.",
        (10, 4, 14, 8), [rows(f"group by ({PATH}, step, router, command) ({first})")],
        {"router": "on router", "command": "command", "path (count)": "paths"},
        group=[
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "step", "desc": False}]}},
            {
                "id": "groupBy",
                "options": {
                    "fields": {
                        "router": {"operation": "groupby", "aggregations": []},
                        "command": {"operation": "groupby", "aggregations": []},
                        "cluster": {"operation": "groupby", "aggregations": []},
                        "path": {"operation": "aggregate", "aggregations": ["count"]},
                    }
                },
            },
        ],
        widths={"on router": 130, "paths": 80},
        empty="Nothing to type: router data shows no cause on any path",
    )
    yield table(
        "Paths",
        "The current state of each path. Hole: the direction in which large packets vanish, or TCP if no TCP segment passes. Sizes are bytes of IP packet; the MTU forward and reverse is "
        "the largest packet that is answered, empty while it is not known exactly; testable is the largest packet that the exporter's own interface can send. "
        "Lost and p99 cover the last 5 minutes.",
        (0, 12, 24, 6),
        [
            rows(verdict()),
            rows(f"group by ({PATH}, target_site, address) (vxlan_path_info{{{PATHS}}})"),
            rows(hole()),
            rows(path_mtu("forward")),
            rows(path_mtu("reverse")),
            rows(EXPECTED),
            rows(TESTABLE),
            rows(LOSS),
            rows(P99),
        ],
        {
            "source": "from",
            "path": "path",
            "address": "address",
            "target_site": "at site",
            "Value #A": "verdict",
            "Value #C": "hole",
            "Value #D": "MTU forward",
            "Value #E": "MTU reverse",
            "Value #F": "expected",
            "Value #G": "testable",
            "Value #H": "lost",
            "Value #I": "RTT p99",
        },
        sort=[("verdict", True)],
        overrides=[
            by_name("verdict", mappings=mapping(VERDICTS), custom__displayMode="color-background-solid"),
            by_name("hole", mappings=mapping(HOLES), custom__displayMode="color-text"),
            by_name("lost", unit="percentunit", decimals=2),
            by_name("RTT p99", unit="s"),
        ],
        widths={
            "from": 110, "address": 140, "at site": 100, "verdict": 120, "hole": 100, "MTU forward": 105, "MTU reverse": 105,
            "expected": 85, "testable": 85, "lost": 75, "RTT p99": 90,
        },
    )


def over_time():
    """Since when, and how much."""
    yield row("Paths over time", 18)
    yield timeseries(
        "Small echoes lost",
        "Share of small echoes lost, over 5 minutes.",
        (0, 19, 12, 8), [series(LOSS, "{{source}} → {{path}}")], "percentunit",
        min=0, soft_max=0.1, decimals=2, fill=10, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Path MTU (bytes)",
        "The largest IP packet that is answered in each direction, the size that the path should carry, and the largest that the exporter's "
        "own interface can send. Solid: forward. Dashed: reverse, known only with a reflector or a proven black hole.",
        (12, 19, 12, 8),
        [
            series(path_mtu("forward"), "{{source}} → {{path}} forward"),
            series(path_mtu("reverse"), "{{source}} → {{path}} reverse"),
            series(EXPECTED, "{{source}} → {{path}} expected"),
            series(TESTABLE, "{{source}} → {{path}} testable"),
        ],
        "none", step=True, legend="list", calcs=(),
        overrides=[
            by_regexp("forward$", custom__lineWidth=3),
            by_regexp("reverse$", custom__lineWidth=3, custom__lineStyle={"fill": "dash", "dash": [10, 10]}),
            by_regexp("expected$", color=fixed(GREY), custom__lineWidth=1),
            by_regexp("testable$", color=fixed(GREY), custom__lineWidth=1, custom__lineStyle={"fill": "dot", "dash": [0, 6]}),
        ],
    )
    yield heatmap(
        "Round trips",
        "Number of small echoes by round-trip time.",
        (0, 27, 12, 8), buckets(f"sum by (le) (increase(vxlan_path_rtt_seconds_bucket{{{PATHS}}}[$__rate_interval]))"), "s",
    )
    yield timeseries(
        "Round trips: median and 99th percentile",
        "Round-trip time of the small echo, over 5 minutes. Solid: half are faster. Dashed: 99 of 100 are faster.",
        (12, 27, 12, 8),
        [
            series('path:vxlan_path_rtt_seconds:p50_rate5m{path=~"$path"}', "{{source}} → {{path}} p50"),
            series(P99, "{{source}} → {{path}} p99"),
        ],
        "s", min=0, legend="list", calcs=(), overrides=[by_regexp("p99$", custom__lineStyle={"fill": "dash", "dash": [10, 10]})],
    )


def tunnels():
    """Both ends of each tunnel."""
    yield row("Tunnels", 35)
    settings = "vni, remote, port, df, bridge"
    # That of one reader, in case two report different settings.
    info = f"topk by ({END}) (1, vxlan_interface_info{{{SCRAPE}}})"
    router = {
        "title": "Router ${__data.fields.router}",
        "url": "/d/vxlan-router?var-router=${__data.fields.router}&${datasource:queryparam}&${__url_time_range}",
        "targetBlank": False,
    }
    yield table(
        "Tunnel ends",
        "Both ends of each tunnel, one below the other: vni, port, df and MTU must be equal, and each remote must be an address of the other "
        "router. Differ: the number of settings on which the ends disagree.",
        (0, 36, 24, 7),
        [
            rows(
                f"""
                tunnel_end:vxlan_tunnel:info
                  * on ({END}) group_left ({settings})
                  {info}
                """
            ),
            rows(of_ends(reading("vxlan_interface_mtu_bytes"))),
            rows(of_ends(reading("vxlan_interface_underlay_mtu_bytes"))),
            rows(f"min by ({TUNNEL}) (vxlan_tunnel_up{{{SCRAPE}}})"),
            rows(f"sum by ({TUNNEL}) (max by ({TUNNEL}, field) (vxlan_tunnel_mismatch{{{SCRAPE}}}))"),
        ],
        {
            "tunnel": "tunnel",
            "Value #D": "state",
            "Value #E": "differ",
            "router": "router",
            "interface": "interface",
            "vni": "vni",
            "remote": "remote",
            "port": "port",
            "df": "df",
            "Value #B": "MTU",
            "Value #C": "underlay MTU",
            "bridge": "bridge",
        },
        sort=[("tunnel", False)],
        overrides=[
            by_name(
                "state", mappings=mapping({0: ("down", RED), 1: ("up", GREEN)}), custom__displayMode="color-background-solid"
            ),
            by_name(
                "differ", thresholds=thresholds((None, GREEN), (1, RED)), custom__displayMode="color-text",
                mappings=mapping({0: ("-", None)}), color={"mode": "thresholds"},
            ),
            by_name("router", links=[router]),
        ],
        widths={
            "tunnel": 250, "state": 80, "differ": 75, "router": 120, "interface": 100, "vni": 80, "port": 75, "df": 80, "MTU": 75,
            "underlay MTU": 125, "bridge": 90,
        },
    )
    yield timeline(
        "Tunnels up and down",
        "Whether each tunnel works according to both routers; empty while one of them is not read.",
        (0, 43, 12, 7), [series(f"min by ({TUNNEL}) (vxlan_tunnel_up{{{SCRAPE}}})", "{{tunnel}}")],
        {0: ("down", RED), 1: ("up", GREEN)},
    )
    yield timeseries(
        "Tunnel loss, by both ends' counters",
        "Share of the packets sent at one end that the other did not receive, over two minutes; absent below 100 packets.",
        (12, 43, 12, 7),
        [series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_loss_ratio{{{SCRAPE}}})", "{{from}} → {{to}}")],
        "percentunit", min=0, soft_max=0.05, decimals=2, fill=10, calcs=("lastNotNull", "max"),
    )


def alerts():
    yield row("Alerts", 50)
    yield table(
        "Alerts firing",
        "Alerts that fire now, one per cause. Each has a runbook with its name.",
        (0, 51, 24, 5),
        [rows('group by (alertname, severity, cluster, source, path, tunnel, router, interface) (ALERTS{alertname=~"Vxlan.+", alertstate="firing"})')],
        {
            "severity": "severity", "alertname": "alert", "source": "from", "path": "path",
            "tunnel": "tunnel", "router": "router", "interface": "interface",
        },
        widths={"severity": 110}, sort=[("severity", False)], empty="No alert fires",
    )


PATH_VARIABLE = variable("path", "Path", f"label_values(vxlan_path_info{{{SCRAPE}}}, path)")

DASHBOARD = dashboard(
    UID, "VXLAN overlay",
    "Which paths over the VXLAN overlay are broken, in which direction, and the commands that fix them.",
    [PATH_VARIABLE], [*problems(), *over_time(), *tunnels(), *alerts()],
)
