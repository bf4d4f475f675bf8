"""How much too small the MTU of a vxlan interface is."""

from grafana import NO_COLOUR, RED, SCRAPE, by_name, mapping, thresholds

BRIDGE = "namespace, cluster, router, bridge"
END = "namespace, cluster, router, interface"

# Bytes that are lacking: to the largest port of the bridge, where no path proves that this does no
# harm; or to what a path over the tunnel should carry. 0 where nothing is lacking.
LACKING = f"""
max by ({END}) (
  label_replace(
    max by ({BRIDGE}) (vxlan_bridge_port_mtu_bytes{{{SCRAPE}}})
      - on ({BRIDGE}) group_right () tunnel_end:vxlan_mtu_below_bridge_port:bytes,
    "than", "port", "", ""
  )
  or label_replace(
    max by ({END}) (tunnel_end:vxlan_tunnel:info * on (namespace, cluster, tunnel) group_left () tunnel:vxlan_path_expected_mtu_bytes:max)
      - max by ({END}) (vxlan_interface_mtu_bytes{{{SCRAPE}}}) > 0,
    "than", "path", "", ""
  )
  or label_replace(0 * max by ({END}) (vxlan_interface_mtu_bytes{{{SCRAPE}}}), "than", "nothing", "", "")
)
""".strip()

COLUMN = "too small by"
WORDS = "Too small by: the bytes that the MTU lacks to the largest port of its bridge, or to what a path over the tunnel should carry."


def marked():
    """The column that shows it."""
    return by_name(
        COLUMN, thresholds=thresholds((None, NO_COLOUR), (1, RED)), color={"mode": "thresholds"}, mappings=mapping({0: ("-", None)}),
        custom__displayMode="color-background-solid",
    )
