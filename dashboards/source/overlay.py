"""VXLAN overlay: what is wrong, where, and what to type; below that, since when and how much."""

import sizes
from firing import alerts
from grafana import (
    BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SCRAPE, UNNAMED, UNSEEN, buckets, by_name, by_query, dashboard, fixed, heatmap, mapping,
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
SINCE = f'1000 * max by ({PATH}) (path:vxlan_path_verdict:since_timestamp_seconds{{path=~"$path"}})'
UNKNOWN = mapping({-1: ("-", None)})


def of_every_path(expr):
    """The number of each path, -1 where there is none: so the table has all columns at any time."""
    return f"max by ({PATH}) ({expr})\nor -1 * group by ({PATH}) (vxlan_path_info{{{PATHS}}})"


def commands():
    """What to type, one row a line, and the label `order` by which the rows are in the order of `check`: by path, then by router."""
    per = f"{PATH}, session, router"
    padded = "vxlan_path_fix_info{%s}" % PATHS
    for label in ("session", "step"):
        padded = f'label_replace({padded}, "{label}", "0$1", "{label}", "(.)")'
    typed = {"00": "configure", "commit": "commit", "save": "save"}
    around = [
        f"""label_replace(label_replace(group by ({per}) ({padded}), "command", "{command}", "", ""), "step", "{step}", "", "")"""
        for step, command in typed.items()
    ]
    lines = "\n  or ".join([f"group by ({per}, step, command) ({padded})", *around])
    return f'label_join(\n  {lines},\n  "order", "/", "cluster", "namespace", "source", "path", "session", "step"\n)'


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


NONE = mapping({0: ("none", GREEN)})


def problems():
    """The top of the page."""
    in_a_hole = f"max by ({PATH}) (vxlan_path_blackhole{{{PATHS}}}) == 1"
    yield stat(
        "Black holes",
        "Paths on which large packets, or all of TCP, are proven to vanish without a signal: ping works, HTTPS hangs. Beside it, the largest packet "
        "that still passes on the worst of them, in bytes.",
        (0, 0, 7, 3),
        [
            now(with_verdict("blackhole"), "paths"),
            now(f"min(min by ({PATH}) (vxlan_path_mtu_bytes{{{PATHS}}}) and on ({PATH}) ({in_a_hole}))", "bytes pass"),
        ],
        mappings=NONE, large=True,
    )
    yield stat(
        "Unreachable",
        "Paths on which no packet of any size comes back.",
        (7, 0, 3, 3), [now(with_verdict("unreachable"))],
        steps=((None, GREEN), (1, PURPLE)), mappings=NONE,
    )
    yield stat(
        "Lossy",
        "Paths whose loss of small echoes is above `loss_threshold`, with 95 % confidence, or on which loss grows with packet size.",
        (10, 0, 3, 3), [now(with_verdict("lossy"))],
        steps=((None, GREEN), (1, ORANGE)), mappings=NONE,
    )
    yield stat(
        "Reduced or unknown",
        "Paths on which path MTU discovery works but ends below the expected MTU, and paths without enough proof for a verdict.",
        (13, 0, 4, 3), [now(with_verdict("reduced", "unknown"))],
        steps=((None, GREEN), (1, BLUE)), mappings=NONE,
    )
    yield stat(
        "Tunnels in trouble",
        "Tunnels that are down, whose ends disagree on a setting, or of which only one end is known.",
        (17, 0, 4, 3), [now(TUNNELS_IN_TROUBLE)], mappings=NONE,
    )
    yield stat(
        "Routers not read",
        "Routers that the exporter could not read at its last attempt: their data is missing here.",
        (21, 0, 3, 3), [now(f"sum(1 - min by (namespace, cluster, router) (vxlan_router_up{{{SCRAPE}}}))")],
        steps=((None, GREEN), (1, ORANGE)), mappings=NONE,
    )
    yield timeline(
        "Verdicts",
        "What a host that does path MTU discovery experiences on each path. The table below says since when.",
        (0, 3, 9, 10), [series(verdict(), "{{source}} → {{path}}")], VERDICTS,
    )
    yield table(
        "What to type",
        "What to type on which router to fix each path, in the safe order, as `vxlan_exporter check` prints it. Commands that several paths need are "
        "typed once. Choose a path at the top to see only its commands.",
        (9, 3, 15, 10), [rows(commands())],
        {"source": "from", "path": "path", "router": "on router", "command": "command"}, order="order", unshown=("session", "step"),
        widths={"from": 90, "path": 120, "on router": 110},
        empty="Nothing to type: router data shows no cause on any path",
    )
    yield table(
        "Paths",
        "The current state of each path, and since when; that is as far back as the exporter was scraped without a gap. Hole: the direction in which large "
        "packets vanish, or TCP if no TCP segment passes. Sizes are bytes of IP packet; the MTU forward and reverse is the largest packet that is answered, "
        "`-` while it is not known exactly, as in the reverse direction without a reflector; testable is the largest packet that the exporter's own interface "
        "can send. Lost and p99 cover the last 5 minutes.",
        (0, 13, 24, 6),
        [
            rows(verdict()),
            rows(f"group by ({PATH}, target_site, address) (vxlan_path_info{{{PATHS}}})"),
            rows(hole()),
            rows(of_every_path(path_mtu("forward"))),
            rows(of_every_path(path_mtu("reverse"))),
            rows(of_every_path(EXPECTED)),
            rows(of_every_path(TESTABLE)),
            rows(of_every_path(LOSS)),
            rows(of_every_path(P99)),
            rows(SINCE),
        ],
        {
            "source": "from",
            "path": "path",
            "address": "address",
            "target_site": "at site",
            "Value #A": "verdict",
            "Value #J": "since",
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
            by_name("since", unit="dateTimeFromNow"),
            by_name("hole", mappings=mapping(HOLES), custom__displayMode="color-text"),
            *(by_name(name, mappings=UNKNOWN) for name in ("MTU forward", "MTU reverse", "expected", "testable")),
            by_name("lost", unit="percentunit", decimals=2, mappings=UNKNOWN),
            by_name("RTT p99", unit="s", mappings=UNKNOWN),
        ],
        widths={
            "from": 90, "address": 135, "at site": 85, "verdict": 110, "since": 130, "hole": 95, "MTU forward": 105, "MTU reverse": 105,
            "expected": 80, "testable": 80, "lost": 70, "RTT p99": 85,
        },
    )


def over_time():
    """Since when, and how much."""
    yield row("Paths over time", 24)
    dashed = {"fill": "dash", "dash": [10, 10]}
    yield timeseries(
        "Path MTU (bytes)",
        "The largest IP packet that is answered on the way there. Dashed: on the way back, where it differs. Grey: what the path should carry, and, dotted, "
        "the largest packet that the exporter's own interface can send.",
        (0, 25, 12, 8),
        [
            series(path_mtu("forward"), "{{source}} → {{path}}"),
            series(f"{path_mtu('reverse')} != {path_mtu('forward')}", "{{source}} → {{path}} reverse"),
            series(EXPECTED, "{{source}} → {{path}} expected"),
            series(TESTABLE, "{{source}} → {{path}} testable"),
            series(f"0.95 * min({EXPECTED})", "begin of the axis"),
        ],
        "none", step=True, legend="list", calcs=(),
        overrides=[
            by_query("A", custom__lineWidth=3),
            by_query("B", custom__lineWidth=3, custom__lineStyle=dashed, custom__hideFrom=UNNAMED),
            by_query("C", color=fixed(GREY), custom__lineWidth=1, custom__hideFrom=UNNAMED),
            by_query("D", color=fixed(GREY), custom__lineWidth=1, custom__lineStyle={"fill": "dot", "dash": [0, 6]}, custom__hideFrom=UNNAMED),
            by_query("E", custom__lineWidth=0, custom__hideFrom=UNSEEN),
        ],
    )
    yield timeseries(
        "Round trips: 99th percentile, and median",
        "Round-trip time of the small echo, over 5 minutes: 99 of 100 are faster than the line. Grey: half are faster.",
        (12, 25, 12, 8),
        [
            series(P99, "{{source}} → {{path}}"),
            series('path:vxlan_path_rtt_seconds:p50_rate5m{path=~"$path"}', "{{source}} → {{path}} median"),
        ],
        "s", min=0, legend="list", calcs=(), overrides=[by_query("B", color=fixed(GREY), custom__lineWidth=1, custom__hideFrom=UNNAMED)],
    )
    yield heatmap(
        "Round trips",
        "Number of small echoes by round-trip time.",
        (0, 33, 24, 7), buckets(f"sum by (le) (increase(vxlan_path_rtt_seconds_bucket{{{PATHS}}}[$__rate_interval]))"), "s",
    )


def tunnels():
    """Both ends of each tunnel."""
    yield row("Tunnels", 40)
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
        "router. Differ: the number of settings on which the ends disagree. " + sizes.WORDS,
        (0, 41, 24, 7),
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
            rows(of_ends(sizes.LACKING)),
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
            "Value #F": sizes.COLUMN,
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
            sizes.marked(),
            by_name("router", links=[router]),
        ],
        widths={
            "tunnel": 230, "state": 70, "differ": 70, "router": 100, "interface": 95, "vni": 70, "port": 65, "df": 70, "MTU": 65,
            sizes.COLUMN: 110, "underlay MTU": 120, "bridge": 80,
        },
    )
    yield timeline(
        "Tunnels up and down",
        "Whether each tunnel works according to both routers; empty while one of them is not read.",
        (0, 48, 24, 6), [series(f"min by ({TUNNEL}) (vxlan_tunnel_up{{{SCRAPE}}})", "{{tunnel}}")],
        {0: ("down", RED), 1: ("up", GREEN)},
    )


def losses():
    """What is flat at zero on most days."""
    yield timeseries(
        "Small echoes lost",
        "Share of small echoes lost, over 5 minutes.",
        (0, 55, 12, 8), [series(LOSS, "{{source}} → {{path}}")], "percentunit",
        min=0, soft_max=0.1, decimals=2, fill=10, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Tunnel loss, by both ends' counters",
        "Share of the packets sent at one end that the other did not receive, over two minutes; absent below 100 packets.",
        (12, 55, 12, 8),
        [series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_loss_ratio{{{SCRAPE}}})", "{{from}} → {{to}}")],
        "percentunit", min=0, soft_max=0.05, decimals=2, fill=10, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Underlay, by the routers' own pings (bytes)",
        "The largest outer packet with DF that one end's router can ping the other's VTEP with, at most what the tunnel needs; only while a path "
        "over the tunnel is not ok, or with `underlay_probes: always`. Below what the tunnel needs, this is the sick leg.",
        (0, 63, 12, 7),
        [series(f"min by ({TUNNEL}, from, to) (vxlan_tunnel_underlay_mtu_bytes{{{SCRAPE}}})", "{{from}} → {{to}}")],
        "none", step=True, calcs=("lastNotNull",),
    )
    yield timeseries(
        "Outer fragments, and packets nobody hears",
        "Fragments that a router makes of a tunnel's outer packets, and packets to a UDP port of the far router where nobody listens; only where "
        "the routers' counters rise in step with the tunnel's own packets.",
        (12, 63, 12, 7),
        [
            series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_outer_fragments_per_second{{{SCRAPE}}})", "{{from}} → {{to}} fragments"),
            series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_unheard_packets_per_second{{{SCRAPE}}})", "{{from}} → {{to}} unheard"),
        ],
        "pps", min=0, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Underlay loss, by the routers' own pings",
        "Share of small pings that one end's router sent to the other's VTEP, lost there or back, over the last ten minutes. A few dozen "
        "pings make no exact share; with two tunnels on a path it shows which leg loses.",
        (0, 70, 8, 7),
        [series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_underlay_loss_ratio{{{SCRAPE}}})", "{{from}} → {{to}}")],
        "percentunit", min=0, soft_max=0.05, decimals=1, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Underlay round trip, by the routers' own pings",
        "Mean time of small pings from one end's router to the other's VTEP and back.",
        (8, 70, 8, 7),
        [series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_underlay_rtt_seconds{{{SCRAPE}}})", "{{from}} → {{to}}")],
        "s", min=0, decimals=1, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Reassembly that fails",
        "Share of packets in fragments that the far router could not put together: fragments get lost on the way. Only where its counters rise "
        "with what the tunnel's other end sends in fragments.",
        (16, 70, 8, 7),
        [series(f"max by ({TUNNEL}, from, to) (vxlan_tunnel_reassembly_failure_ratio{{{SCRAPE}}})", "{{from}} → {{to}}")],
        "percentunit", min=0, soft_max=0.05, decimals=1, calcs=("lastNotNull", "max"),
    )


PATH_VARIABLE = variable("path", "Path", f"label_values(vxlan_path_info{{{SCRAPE}}}, path)")

DASHBOARD = dashboard(
    UID, "VXLAN overlay",
    "Which paths over the VXLAN overlay are broken, in which direction, and the commands that fix them.",
    [PATH_VARIABLE],
    [*problems(), *alerts(19), *over_time(), *tunnels(), row("Loss: zero while all is well", 54, losses())],
)
