"""The alerts that fire, each with its meaning, since when, and a link to what it is about."""

from grafana import ORANGE, RED, by_name, mapping, rows, table

# In a few words; the alert's own text has the numbers.
MEANINGS = {
    "VxlanPathUnreachable": "no packet of any size comes back",
    "VxlanMtuBlackHole": "large packets vanish: ping works, HTTPS hangs",
    "VxlanPathTcpDead": "TCP vanishes: ping works, connections time out",
    "VxlanPathLossy": "packets are lost",
    "VxlanPathMtuReduced": "the path MTU is smaller than expected; nothing hangs",
    "VxlanPathUnknown": "nothing can be proven about the path",
    "VxlanPathUntestable": "our interface is too small to test the path at full size",
    "VxlanRttHigh": "round trips take more than twice as long as usual",
    "VxlanUnderlayUnreachable": "the router has no route to the other end",
    "VxlanMtuBelowBridgePort": "the bridge drops large frames silently at this interface",
    "VxlanBridgeMtuClamp": "the bridge has a smaller MTU than its tunnel",
    "VxlanRouterScrapeFailing": "the router cannot be read",
    "VxlanHostKeyMismatch": "the router shows a different SSH host key than the known one",
    "VxlanRouterSaysTooMuch": "part of what the router prints is left out",
    "VxlanVniMismatch": "the ends have different VNIs",
    "VxlanPortMismatch": "the ends have different UDP ports",
    "VxlanRemoteMismatch": "an end sends to an address that is not the other end's router",
    "VxlanTunnelDown": "the tunnel is down",
    "VxlanMtuMismatch": "the ends have different MTUs",
    "VxlanDfMismatch": "the ends have different DF settings",
    "VxlanTunnelLoss": "the tunnel loses packets",
    "VxlanUdpPortUnheard": "nobody listens at the far end: nothing passes",
    "VxlanReassemblyFailing": "large packets lose fragments on the way",
    "VxlanOuterFragmentation": "large packets travel in fragments",
    "VxlanTunnelFlapping": "the tunnel goes up and down",
    "VxlanExporterDown": "the exporter cannot be scraped: nothing of it is watched",
    "VxlanExporterAbsent": "Prometheus has no exporter to scrape",
    "VxlanExporterRestarting": "the exporter, or a part of it, was restarted",
    "VxlanExporterOverloaded": "the exporter cannot keep up with what it has to probe and read",
    "VxlanProbeStale": "the path is probed no more",
}
LABELS = "alertname, severity, cluster, source, path, tunnel, router, interface, instance"
FIRING = 'group by (%s) (ALERTS{alertname=~"Vxlan.+", alertstate="firing"})'


def _page(title, address):
    return [{"title": title, "url": address + "&${datasource:queryparam}&${__url_time_range}", "targetBlank": False}]


def alerts(y):
    """The table, at this height."""
    since = f'max by ({LABELS}) (ALERTS_FOR_STATE{{alertname=~"Vxlan.+"}})'
    firing = FIRING % LABELS
    yield table(
        "Alerts firing",
        "Alerts that fire now, one per cause, since when their condition has held. The links lead to the path, the router or the exporter; docs/runbooks has "
        "a page for each alert.",
        (0, y, 24, 5),
        [rows(f'label_replace(1000 * ({since} and {firing}), "meaning", "$1", "alertname", "(.+)")')],
        {
            "severity": "severity", "alertname": "alert", "meaning": "what it means", "Value": "since", "source": "from", "path": "path",
            "tunnel": "tunnel", "router": "router", "interface": "interface", "instance": "exporter",
        },
        sort=[("severity", False)],
        overrides=[
            by_name("severity", mappings=mapping({"critical": ("critical", RED), "warning": ("warning", ORANGE)}), custom__displayMode="color-text"),
            by_name("what it means", mappings=mapping({name: (text, None) for name, text in MEANINGS.items()})),
            by_name("since", unit="dateTimeFromNow"),
            by_name("path", links=_page("This path", "/d/vxlan-overlay?var-path=${__value.raw}")),
            by_name("router", links=_page("This router", "/d/vxlan-router?var-router=${__value.raw}")),
            by_name("exporter", links=_page("This exporter", "/d/vxlan-exporter-health?var-instance=${__value.raw}")),
        ],
        widths={"severity": 75, "alert": 200, "since": 125, "from": 80, "router": 90},
        empty="No alert fires",
    )
