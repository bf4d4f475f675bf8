"""What several alerts say, each said once: a function here is what `<<its_name>>` stands for in the rule files of this folder.

Prometheus expands the result as a Go template. Lines are broken where that shows nothing: inside `{{ }}`, inside a
`string in backquotes`, and beside a `{{-` or `-}}`, which takes away the white space next to it.
"""


def _with(text, **words):
    """The text with its words in capitals replaced."""
    for name, word in words.items():
        text = text.replace(name, word)
    return text


# Paths


def here():
    """`$here`: the path of this alert, for the selector of a query."""
    return """\
{{- $here := printf "namespace=%q,cluster=%q,source=%q,path=%q" $labels.namespace $labels.cluster $labels.source $labels.path -}}"""


def here_and_site():
    """`$site` beside `$here`: the path seen from any node of its site, as only one of them may read routers."""
    return here() + """
{{- $site := printf "namespace=%q,cluster=%q,source=~%q,path=%q"
    $labels.namespace $labels.cluster (printf "%s(/.*)?" (reReplaceAll "/.*" "" $labels.source)) $labels.path -}}"""


def from_to(*port):
    """Who is at both ends; `<<from_to port>>` adds the TCP port."""
    return _with(
        """\
From {{ $labels.source }} to {{ $labels.path }}
{{- range query (printf "group by (target_site, addressLABEL) (vxlan_path_info{%s})" $here) }} (
{{- with .Labels.address }}{{ . }} {{ end }}at {{ .Labels.target_site }}WORDS)
{{- end }}""",
        LABEL=", tcp_port" if port else "",
        WORDS=", TCP port {{ .Labels.tcp_port }}" if port else "",
    )


def echoes_lost():
    return """\
{{ range query (printf "path:vxlan_path_loss:ratio_rate5m{%s}" $here) }}
{{- humanizePercentage .Value }} of the small echoes of the last 5 minutes were lost.{{ end }}"""


def path_mtu():
    return """\
Path MTU:
{{- range query (printf "min by (direction) (vxlan_path_mtu_bytes{%s})" $here) | sortByLabel "direction" }} {{ .Labels.direction }} {{ .Value }},
{{- else }} not known,{{ end }} expected
{{- range query (printf "max(vxlan_path_expected_mtu_bytes{%s})" $here) }} {{ .Value }} bytes{{ else }} not known{{ end }}."""


def _ends_on_the_way(values, words):
    return _with(
        """\
Tunnel ends on the way:
{{- range query (printf `max by (router, interface) (
      VALUES
      and on (router, interface) vxlan_path_hop_info{%s}
    )` $labels.namespace $labels.cluster $site)
    | sortByLabel "interface" | sortByLabel "router" }} {{ .Labels.router }}/{{ .Labels.interface }} WORDS;
{{- else }} not known from router data;{{ end }}""",
        VALUES=values,
        WORDS=words,
    )


def ends_receive():
    """What each tunnel end on the path receives."""
    return _ends_on_the_way(
        "rate(vxlan_interface_receive_packets_total{namespace=%q,cluster=%q}[2m])",
        'receives {{ printf "%.1f" .Value }} packets/s',
    )


def ends_mtu():
    """The MTU of each tunnel end on the path."""
    return _ends_on_the_way("vxlan_interface_mtu_bytes{namespace=%q,cluster=%q}", "mtu {{ .Value }}")


def _commands(query, none):
    """Commands in the order of their steps, of which `query` leaves `step`, `router` and `command`. 10 comes after 9."""
    return _with(
        """\
{{ range $n, $_ := query (printf QUERY)
    | sortByLabel "step" }}{{ if not $n }}Commands, in this order, then `commit` and `save` on each router:{{ end }}
- on {{ .Labels.router }}: {{ .Labels.command }}
{{- else }}NONE{{ end }}""",
        QUERY=query,
        NONE=none,
    )


def path_commands():
    return _commands(
        """`max by (step, router, command) (
      label_replace(vxlan_path_fix_info{%s}, "step", "0$1", "step", "(.)")
    )` $site""",
        "Router data shows no setting that would fix it: see the runbook.",
    )


def path_page():
    return '"d/vxlan-overlay?var-path={{ $labels.path | urlquery }}"'


# Tunnels


def tunnel():
    """`$tunnel`: the tunnel of this alert, `$scrape`: all that its scrape says."""
    return """\
{{- $tunnel := printf "namespace=%q,cluster=%q,tunnel=%q" $labels.namespace $labels.cluster $labels.tunnel -}}
{{- $scrape := printf "namespace=%q,cluster=%q" $labels.namespace $labels.cluster -}}"""


def ends():
    """The settings of both ends, a line each. It begins the line by itself, and so do all that name ends below."""
    return """\
{{- range query (printf `group by (router, interface, vni, remote, port, df) (
      vxlan_interface_info{%s} and on (router, interface) tunnel_end:vxlan_tunnel:info{%s}
    )` $scrape $tunnel) | sortByLabel "interface" | sortByLabel "router" }}
{{ .Labels.router }}/{{ .Labels.interface }}: vni {{ .Labels.vni }}, remote {{ .Labels.remote }}
{{- ""}}, port {{ .Labels.port }}, df {{ .Labels.df }}.{{ end }}"""


def ends_packets():
    """What both ends send and receive."""
    return """\
{{- range query (printf `sum by (router, interface, counter) (
      label_replace(max by (router, interface) (
        rate(vxlan_interface_transmit_packets_total{%s}[2m]) and on (router, interface) tunnel_end:vxlan_tunnel:info{%s}
      ), "counter", "sends", "", "")
      or
      label_replace(max by (router, interface) (
        rate(vxlan_interface_receive_packets_total{%s}[2m]) and on (router, interface) tunnel_end:vxlan_tunnel:info{%s}
      ), "counter", "receives", "", "")
    )` $scrape $tunnel $scrape $tunnel) | sortByLabel "counter" | sortByLabel "router" }}
{{ .Labels.router }}/{{ .Labels.interface }} {{ .Labels.counter }} {{ printf "%.1f" .Value }} packets/s.{{ end }}"""


def underlay_legs():
    """What the routers' own pings say of the underlay below the tunnel, on a line of its own."""
    return """\
The underlay by the routers' own pings:
{{- range query (printf `max by (from, to) (vxlan_tunnel_underlay_mtu_bytes{%s})` $tunnel)
    | sortByLabel "from" }} {{ .Labels.from }} to {{ .Labels.to }} {{ .Value }} bytes;
{{- else }} not measured;{{ end }} see `check`."""


def underlay_on_the_way():
    """The same for all tunnels that a path crosses."""
    return """\
The underlay by the routers' own pings:
{{- range query (printf `max by (from, to) (
      vxlan_tunnel_underlay_mtu_bytes{namespace=%q,cluster=%q} and on (tunnel) vxlan_path_hop_info{%s}
    )` $labels.namespace $labels.cluster $site) | sortByLabel "from" }} {{ .Labels.from }} to {{ .Labels.to }} {{ .Value }} bytes;
{{- else }} not measured;{{ end }} see `check`."""


def underlay_loss_on_the_way():
    """What is lost on the legs of all tunnels that a path crosses, by the routers' own pings."""
    return """\
Lost in the underlay by the routers' own pings:
{{- range query (printf `max by (from, to) (
      vxlan_tunnel_underlay_loss_ratio{namespace=%q,cluster=%q} and on (tunnel) vxlan_path_hop_info{%s}
    )` $labels.namespace $labels.cluster $site) | sortByLabel "from" }} {{ .Labels.from }} to {{ .Labels.to }} {{ humanizePercentage .Value }};
{{- else }} not measured;{{ end }} see `check`."""


def tunnel_commands(*setting):
    """What the paths over the tunnel would change at its ends; `<<tunnel_commands vni>>` of that setting alone."""
    query = """`topk by (router, command) (1, max by (step, router, command) (
      label_replace(
        label_replace(vxlan_path_fix_info{%sONLY}, "step", "0$1", "step", "(.)"),
        "interface", "$1", "command", ".* vxlan ([^ ]+) .*"
      ) and on (router, interface) tunnel_end:vxlan_tunnel:info{%s}
    ))` $scrape $tunnel"""
    only = f',command=~".* {setting[0]} .*"' if setting else ""
    return _commands(_with(query, ONLY=only), "No path over it names a command: see the runbook.")


# Routers


def router():
    """`$scrape`: all that the scrape says of the router."""
    return """\
{{- $scrape := printf "namespace=%q,cluster=%q,router=%q" $labels.namespace $labels.cluster $labels.router -}}"""


def remote():
    """The address to which the interface sends, on a line of its own that goes on the one before."""
    return """\
{{- range query (printf "group by (remote) (vxlan_interface_info{%s,interface=%q})" $scrape $labels.interface) }} {{ .Labels.remote }}
{{- end }}"""


def other_end():
    return """\
The other end:
{{- range query (printf `group by (router, interface) (
      tunnel_end:vxlan_tunnel:info{namespace=%q,cluster=%q,router!=""}
      and on (tunnel) tunnel_end:vxlan_tunnel:info{%s,interface=%q}
    )
    unless on (router, interface) tunnel_end:vxlan_tunnel:info{%s,interface=%q}`
    $labels.namespace $labels.cluster $scrape $labels.interface $scrape $labels.interface)
    | sortByLabel "router" }} {{ .Labels.router }}/{{ .Labels.interface }}{{ else }} not known{{ end }}."""


def missing_route():
    """What to look at where a router has no route."""
    return f"""\
On {{{{ $labels.router }}}}, see what is missing: `show ip route
{remote()}`, `show interfaces`, `show protocols static`.
{{{{- " " }}}}No command can be given: the exporter does not read the underlay's configuration."""


def router_page():
    return '"d/vxlan-router?var-router={{ $labels.router | urlquery }}"'
