"""VXLAN router: settings, counters and sizes, as the routers tell them."""

import sizes
from grafana import (
    GREEN, GREY, RED, SCRAPE, UNSEEN, by_name, by_query, by_regexp, dashboard, fixed, mapping, row, rows, series, table,
    timeseries, variable,
)

UID = "vxlan-router"

ROUTERS = f'{SCRAPE}, router=~"$router"'
# Two exporters that read one router count as one.
ROUTER = "namespace, cluster, router, site"
INTERFACE = "namespace, cluster, router, interface"
FAMILY = "namespace, cluster, router, family"
LEGEND = "{{router}}/{{interface}}"


def rate(counter, by=INTERFACE):
    return f"max by ({by}) (rate({counter}{{{ROUTERS}}}[$__rate_interval]))"


def both(unit_factor, stem):
    """What is received and sent, a second; sent is drawn downwards."""
    return [
        series(rate(f"vxlan_interface_receive_{stem}_total") + unit_factor, f"{LEGEND} received"),
        series(rate(f"vxlan_interface_transmit_{stem}_total") + unit_factor, f"{LEGEND} sent"),
    ]


SENT_DOWN = [by_regexp("sent$", custom__transform="negative-Y")]


def now_of_routers():
    yield table(
        "Routers",
        "Whether each router can be read, by which method, and its version. Read: when it was last read successfully; took: how long the "
        "last attempt took.",
        (0, 0, 24, 5),
        [
            rows(f"min by ({ROUTER}) (vxlan_router_up{{{ROUTERS}}})"),
            rows(f"group by ({ROUTER}, version, method) (vxlan_router_info{{{ROUTERS}}})"),
            rows(f"1000 * max by ({ROUTER}) (vxlan_router_last_success_timestamp_seconds{{{ROUTERS}}})"),
            rows(f"max by ({ROUTER}) (vxlan_router_scrape_duration_seconds{{{ROUTERS}}})"),
            rows(f"max by ({ROUTER}) (vxlan_router_host_key_mismatch{{{ROUTERS}}})"),
        ],
        {
            "router": "router", "site": "site", "Value #A": "state", "Value #C": "read", "Value #D": "took",
            "Value #E": "host key", "method": "method", "version": "version",
        },
        sort=[("router", False)],
        overrides=[
            by_name(
                "state", mappings=mapping({0: ("not read", RED), 1: ("read", GREEN)}),
                custom__displayMode="color-background-solid",
            ),
            by_name("read", unit="dateTimeFromNow"),
            by_name("took", unit="s", decimals=2),
            by_name("host key", mappings=mapping({0: ("as known", GREEN), 1: ("another one", RED)}), custom__displayMode="color-text"),
        ],
        widths={"state": 100, "read": 180, "took": 90, "host key": 120, "method": 90},
    )
    settings = "vni, remote, local, port, df, bridge"
    yield table(
        "VXLAN interfaces",
        "Settings of each vxlan interface; empty if a setting is not set or not known. Sizes are bytes of IP packet. VXLAN "
        "adds 50 bytes over IPv4 and 70 over IPv6 to what the underlay must carry. " + sizes.WORDS,
        (0, 5, 24, 6),
        [
            rows(f"group by ({INTERFACE}, {settings}) (vxlan_interface_info{{{ROUTERS}}})"),
            rows(f"max by ({INTERFACE}) (vxlan_interface_up{{{ROUTERS}}})"),
            rows(f"max by ({INTERFACE}) (vxlan_interface_mtu_bytes{{{ROUTERS}}})"),
            rows(f"max by ({INTERFACE}) (vxlan_interface_underlay_mtu_bytes{{{ROUTERS}}})"),
            rows(f"{sizes.LACKING}\nand on ({INTERFACE}) vxlan_interface_mtu_bytes{{{ROUTERS}}}"),
        ],
        {
            "router": "router", "interface": "interface", "Value #B": "state", "vni": "vni", "remote": "remote", "local": "local",
            "port": "port", "df": "df", "bridge": "bridge", "Value #C": "MTU", "Value #E": sizes.COLUMN, "Value #D": "underlay MTU",
        },
        sort=[("router", False)],
        overrides=[
            by_name("state", mappings=mapping({0: ("down", RED), 1: ("up", GREEN)}), custom__displayMode="color-background-solid"),
            sizes.marked(),
        ],
        widths={
            "router": 120, "interface": 100, "state": 80, "vni": 80, "port": 75, "df": 80, "bridge": 90, "MTU": 75,
            sizes.COLUMN: 110, "underlay MTU": 125,
        },
    )


def mtus():
    yield row("Sizes", 11)
    yield timeseries(
        "MTU of bridges and their ports (bytes)",
        "A frame larger than the MTU of the port through which it leaves the bridge is dropped silently and not counted: all ports of a bridge "
        "should have the same MTU. Dashed: the bridge itself.",
        (0, 12, 12, 8),
        [
            series(f"max by ({INTERFACE}, bridge) (vxlan_bridge_port_mtu_bytes{{{ROUTERS}}})", "{{router}}/{{bridge}} port {{interface}}"),
            series(f"max by (namespace, cluster, router, bridge) (vxlan_bridge_mtu_bytes{{{ROUTERS}}})", "{{router}}/{{bridge}} itself"),
            series(f"0.95 * min(vxlan_bridge_port_mtu_bytes{{{ROUTERS}}})", "begin of the axis"),
        ],
        "none", step=True, legend="list", calcs=(),
        overrides=[
            by_regexp("itself$", color=fixed(GREY), custom__lineStyle={"fill": "dash", "dash": [10, 10]}),
            by_query("C", custom__lineWidth=0, custom__hideFrom=UNSEEN),
        ],
    )
    yield timeseries(
        "MTU of vxlan interfaces and the underlay (bytes)",
        "The vxlan interface's MTU and that of its route to the remote VTEP. The underlay must carry 50 bytes more over IPv4, 70 over IPv6.",
        (12, 12, 12, 8),
        [
            series(f"max by ({INTERFACE}) (vxlan_interface_mtu_bytes{{{ROUTERS}}})", f"{LEGEND}"),
            series(f"max by ({INTERFACE}) (vxlan_interface_underlay_mtu_bytes{{{ROUTERS}}})", f"{LEGEND} underlay"),
            series(f"0.95 * min(vxlan_interface_mtu_bytes{{{ROUTERS}}})", "begin of the axis"),
        ],
        "none", step=True, legend="list", calcs=(),
        overrides=[
            by_regexp("underlay$", custom__lineStyle={"fill": "dash", "dash": [10, 10]}),
            by_query("C", custom__lineWidth=0, custom__hideFrom=UNSEEN),
        ],
    )


def traffic():
    yield row("Traffic", 20)
    yield timeseries(
        "Bits",
        "Received above the line, sent below it.",
        (0, 21, 12, 8), both(" * 8", "bytes"), "bps", overrides=SENT_DOWN, fill=10, legend="list", calcs=(),
    )
    yield timeseries(
        "Packets",
        "Received above the line, sent below it. One that sends and receives nothing is half a tunnel.",
        (12, 21, 12, 8), both("", "packets"), "pps", overrides=SENT_DOWN, fill=10, legend="list", calcs=(),
    )


def forwarding():
    yield row("Forwarding", 29)
    yield timeseries(
        "Forwarding entries",
        "Entries that name a remote VTEP. Without learned ones nothing has come from there lately; without a flood entry broadcasts do not "
        "go there, so ARP fails.",
        (0, 30, 24, 8),
        [
            series(
                f"max by ({INTERFACE}, remote, kind) (vxlan_fdb_entries{{{ROUTERS}}})",
                "{{router}}/{{interface}} {{remote}} {{kind}}",
            )
        ],
        "none", step=True, min=0, legend="list", calcs=(),
    )


def errors():
    """What is flat at zero on most days."""
    yield timeseries(
        "No route to the remote VTEP (packets/s)",
        "Packets for which the router had no route to the other end (carrier errors), a sign of a dead underlay; and packets whose route led "
        "back into the tunnel (collisions).",
        (0, 39, 8, 8),
        [
            series(rate("vxlan_interface_transmit_carrier_errors_total"), f"{LEGEND} no route"),
            series(rate("vxlan_interface_transmit_collisions_total"), f"{LEGEND} loop"),
        ],
        "none", min=0, soft_max=1, decimals=2, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Errors and drops (packets/s)",
        "Packets that an interface could not receive or send, or dropped. A frame that is too large for the tunnel is not among them: the "
        "bridge drops it before.",
        (8, 39, 8, 8),
        [
            series(rate(f"vxlan_interface_{direction}_{kind}_total"), f"{LEGEND} {word}")
            for direction, kind, word in (
                ("receive", "errors", "receive errors"),
                ("receive", "dropped", "receive drops"),
                ("receive", "overruns", "overruns"),
                ("transmit", "errors", "send errors"),
                ("transmit", "dropped", "send drops"),
            )
        ],
        "none", min=0, soft_max=1, decimals=2, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Devices made anew",
        "VyOS makes a vxlan device anew when its vni, remote or port changes; its counters then start from 0.",
        (16, 39, 8, 8),
        [series(f"max by ({INTERFACE}) (increase(vxlan_interface_recreations_total{{{ROUTERS}}}[$__rate_interval]))", LEGEND)],
        "none", min=0, soft_max=1, calcs=("max",),
    )


def underlay():
    """The devices to remote VTEPs, and the router's own IP and UDP."""
    yield timeseries(
        "MTU of the devices to remote VTEPs (bytes)",
        "Each device that carries a route to a remote VTEP, with the links it is on and its VRF. A tunnel needs 50 bytes more than its own MTU "
        "over IPv4, 70 over IPv6.",
        (0, 48, 8, 8),
        [series(f"max by ({INTERFACE}) (vxlan_underlay_interface_mtu_bytes{{{ROUTERS}}})", LEGEND)],
        "none", step=True, legend="list", calcs=(),
    )
    yield timeseries(
        "Bits over these devices",
        "All traffic, not only that of tunnels. Received above the line, sent below it.",
        (8, 48, 8, 8),
        [
            series(rate("vxlan_underlay_interface_receive_bytes_total") + " * 8", f"{LEGEND} received"),
            series(rate("vxlan_underlay_interface_transmit_bytes_total") + " * 8", f"{LEGEND} sent"),
        ],
        "bps", overrides=SENT_DOWN, fill=10, legend="list", calcs=(),
    )
    yield timeseries(
        "Their errors and drops (packets/s)",
        "A length error is a frame larger than the device takes, which the other side of the link thinks it may send.",
        (16, 48, 8, 8),
        [
            series(rate(f"vxlan_underlay_interface_{direction}_{kind}_total"), f"{LEGEND} {word}")
            for direction, kind, word in (
                ("receive", "errors", "receive errors"),
                ("receive", "dropped", "receive drops"),
                ("receive", "length_errors", "length errors"),
                ("receive", "overruns", "overruns"),
                ("receive", "missed_errors", "missed"),
                ("transmit", "errors", "send errors"),
                ("transmit", "dropped", "send drops"),
            )
        ],
        "none", min=0, soft_max=1, decimals=2, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Fragments made, and packets too large to send (packets/s)",
        "Of all traffic of the router, not only of tunnels. The page of a tunnel, and VXLAN overlay, show what is its own.",
        (0, 56, 8, 8),
        [
            series(rate("vxlan_router_ip_fragments_created_total", FAMILY), "{{router}} {{family}} fragments"),
            series(rate("vxlan_router_ip_fragmentation_failures_total", FAMILY), "{{router}} {{family}} too large"),
        ],
        "none", min=0, soft_max=1, decimals=2, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "Reassembly (packets/s)",
        "Packets put together from fragments, and those given up because a fragment was missing; of all traffic of the router.",
        (8, 56, 8, 8),
        [
            series(rate("vxlan_router_ip_reassemblies_total", FAMILY), "{{router}} {{family}} whole"),
            series(rate("vxlan_router_ip_reassembly_failures_total", FAMILY), "{{router}} {{family}} given up"),
            series(rate("vxlan_router_ip_reassembly_timeouts_total", FAMILY), "{{router}} {{family}} after waiting for a fragment"),
        ],
        "none", min=0, soft_max=1, decimals=2, calcs=("lastNotNull", "max"),
    )
    yield timeseries(
        "UDP that reached nobody (packets/s)",
        "To a port where nobody listens (a wrong port of a vxlan interface counts here), with a wrong checksum, or dropped because a receive buffer "
        "was full; of all traffic of the router.",
        (16, 56, 8, 8),
        [
            series(rate("vxlan_router_udp_no_ports_total", FAMILY), "{{router}} {{family}} nobody listens"),
            series(rate("vxlan_router_udp_receive_errors_total", FAMILY), "{{router}} {{family}} errors"),
            series(rate("vxlan_router_udp_receive_buffer_errors_total", FAMILY), "{{router}} {{family}} buffer full"),
            series(rate("vxlan_router_udp_checksum_errors_total", FAMILY), "{{router}} {{family}} checksum"),
        ],
        "none", min=0, soft_max=1, decimals=2, calcs=("lastNotNull", "max"),
    )


ROUTER_VARIABLE = variable("router", "Router", f"label_values(vxlan_router_up{{{SCRAPE}}}, router)")

DASHBOARD = dashboard(
    UID, "VXLAN router",
    "What the routers say of their vxlan interfaces: settings, sizes, traffic, forwarding entries.",
    [ROUTER_VARIABLE],
    [
        *now_of_routers(), *mtus(), *traffic(), *forwarding(), row("Errors: zero while all is well", 38, errors()),
        row("The underlay", 47, underlay()),
    ],
)
