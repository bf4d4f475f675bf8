"""The few parts of Grafana's dashboard JSON that these dashboards use, for Grafana 9.1 to 12.

schemaVersion stays at 37 and pluginVersion at 9.1.0: Grafana 9.1 knows no later ones, and newer ones migrate from them; without
a version they would take a panel for one of Grafana 6. So a table's cells have `displayMode`, which version 38 turns into `cellOptions`.
"""

import itertools

DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Okabe and Ito's colours, which can be told apart with every kind of colour blindness. No state is
# shown by colour alone.
GREEN = "#009E73"
BLUE = "#56B4E9"
ORANGE = "#E69F00"
RED = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#999999"
NO_COLOUR = "transparent"

# What tells no series from another: it is neither in the legend nor, with `viz`, drawn.
UNNAMED = {"legend": True, "tooltip": False, "viz": False}
UNSEEN = {"legend": True, "tooltip": True, "viz": False}

# Every selector of the exporter's own series is narrowed by this.
SCRAPE = 'job=~"$job", instance=~"$instance"'


def mapping(values):
    """Numbers or words as words: {value: (text, colour)}."""
    options = {
        str(value): {"index": index, "text": text, **({"color": colour} if colour else {})}
        for index, (value, (text, colour)) in enumerate(values.items())
    }
    return [{"type": "value", "options": options}]


def thresholds(*steps):
    """(from, colour) pairs; the first one from minus infinity."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def fixed(colour):
    return {"mode": "fixed", "fixedColor": colour}


def by_name(name, **properties):
    """An override for the field of that name; `__` in a property stands for a dot."""
    return _override("byName", name, properties)


def by_query(letter, **properties):
    """An override for all that this query of the panel returns."""
    return _override("byFrameRefID", letter, properties)


def by_regexp(pattern, **properties):
    return _override("byRegexp", f"/{pattern}/", properties)


def _override(matcher, options, properties):
    pairs = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": pairs}


def series(expr, legend):
    """A query over the time range."""
    return {"expr": _expression(expr), "legendFormat": legend, "instant": False, "range": True, "format": "time_series"}


def buckets(expr):
    """A query of histogram buckets over the time range."""
    return {"expr": _expression(expr), "legendFormat": "{{le}}", "instant": False, "range": True, "format": "heatmap"}


def now(expr, legend=""):
    """A query at the end of the time range, one number a series."""
    return {"expr": _expression(expr), "legendFormat": legend, "instant": True, "range": False, "format": "time_series"}


def rows(expr):
    """A query at the end of the time range, one row a series and one column a label."""
    return {"expr": _expression(expr), "legendFormat": "", "instant": True, "range": False, "format": "table"}


def _expression(text):
    """Without the indentation that it has in Python."""
    lines = text.strip("\n").rstrip().split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    return "\n".join(line[min(indents):] for line in lines)


def _panel(kind, title, description, at, queries, defaults, overrides, options, transformations=()):
    x, y, w, h = at
    targets = [
        {"refId": chr(ord("A") + index), "datasource": DATA_SOURCE, "editorMode": "code", **query}
        for index, query in enumerate(queries)
    ]
    return {
        "type": kind,
        "pluginVersion": "9.1.0",
        "title": title,
        "description": description,
        "gridPos": {"x": x, "y": y, "w": w, "h": h},
        "datasource": DATA_SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
        **({"transformations": list(transformations)} if transformations else {}),
    }


def stat(title, description, at, queries, unit="none", steps=((None, GREEN), (1, RED)), mappings=(), large=False):
    """Numbers side by side, each with its name where there are several. Those that matter most are `large`, on their colour."""
    defaults = {
        "unit": unit,
        "decimals": 0,
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(*steps),
        "mappings": list(mappings),
        "links": [],
    }
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background" if large else "value",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "vertical",
        "text": {"titleSize": 13, "valueSize": 30 if large else 22},
        "textMode": "value_and_name" if len(queries) > 1 else "value",
    }
    return _panel("stat", title, description, at, queries, defaults, (), options)


def timeseries(title, description, at, queries, unit, overrides=(), calcs=("lastNotNull",), step=False, fill=0, legend="table", soft_max=None, **defaults):
    """Lines over time. `step` draws settings, which hold until they change; `soft_max` keeps noise small."""
    custom = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter" if step else "linear",
        "lineWidth": 2,
        "fillOpacity": fill,
        "showPoints": "never",
        "spanNulls": False,
        "axisPlacement": "auto",
        "axisLabel": "",
        **({"axisSoftMax": soft_max} if soft_max else {}),
    }
    field = {"unit": unit, "color": {"mode": "palette-classic"}, "custom": custom, **defaults}
    options = {
        "legend": {"displayMode": legend, "placement": "bottom", "showLegend": True, "calcs": list(calcs)},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, description, at, queries, field, overrides, options)


def timeline(title, description, at, queries, states):
    """States over time, one line a series: {number: (text, colour)}."""
    defaults = {
        "unit": "none",
        "color": {"mode": "thresholds"},
        "thresholds": thresholds((None, GREY)),
        "mappings": mapping(states),
        "custom": {"fillOpacity": 85, "lineWidth": 0},
    }
    options = {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "mergeValues": True,
        "rowHeight": 0.85,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return _panel("state-timeline", title, description, at, queries, defaults, (), options)


def heatmap(title, description, at, query, unit):
    """How many observations fell into which bucket when."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Cividis", "fill": "dark-orange", "steps": 64, "exponent": 0.5, "reverse": False},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"show": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    defaults = {"custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False}}}
    return _panel("heatmap", title, description, at, [query], defaults, (), options)


def table(title, description, at, queries, columns, widths=(), sort=(), overrides=(), empty=None, order=None, unshown=()):
    """Rows joined by the labels that the queries have in common.

    `columns` are the columns in order: {field: shown name}; `cluster` follows where the scrape sets it, value columns that are not
    named are hidden. `widths` are pixels by shown name; columns without one share the rest. `order` is a label that sorts the rows and
    is not shown, like the labels that are `unshown`.
    """
    named = {**columns, "cluster": "cluster"}
    overrides = [*overrides, *(by_name(name, custom__width=width) for name, width in dict(widths).items())]
    hidden = {name: True for name in ("Time", "namespace", *_unshown(queries, columns), *([order] if order else []), *unshown)}
    organize = {
        "excludeByName": hidden,
        "indexByName": {name: index for index, name in enumerate(named)},
        "renameByName": {name: shown for name, shown in columns.items() if name != shown},
    }
    transformations = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    if order:
        transformations.append({"id": "sortBy", "options": {"fields": {}, "sort": [{"field": order, "desc": False}]}})
    transformations.append({"id": "organize", "options": organize})
    defaults = {"unit": "none", "custom": {"align": "left", "displayMode": "auto", "filterable": False}}
    if empty:
        defaults["noValue"] = empty
    options = {
        "showHeader": True,
        "sortBy": [{"displayName": name, "desc": desc} for name, desc in sort],
    }
    return _panel("table", title, description, at, queries, defaults, overrides, options, transformations)


def _unshown(queries, columns):
    """The value columns that the queries make and nobody wants."""
    values = ["Value"] if len(queries) == 1 else [f"Value #{chr(ord('A') + index)}" for index in range(len(queries))]
    return [name for name in values if name not in columns]


def row(title, y, panels=None):
    """A heading; one with panels of its own is folded until somebody clicks on it."""
    folded = list(panels or [])
    return {"type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "collapsed": bool(folded), "panels": folded}


def variable(name, label, query):
    """A template variable: several values or all."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATA_SOURCE,
        "query": query,
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "regex": "",
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "hide": 0,
        "skipUrlSync": False,
    }


def _numbered(panels, numbers):
    """The panels with ids, also those in folded rows."""
    return [
        {"id": next(numbers), **panel, **({"panels": _numbered(panel["panels"], numbers)} if "panels" in panel else {})}
        for panel in panels
    ]


def dashboard(uid, title, description, variables, panels):
    source = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "options": [],
        "regex": "",
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
    }
    scrape = [
        variable("job", "Job", "label_values(vxlan_exporter_build_info, job)"),
        variable("instance", "Instance", 'label_values(vxlan_exporter_build_info{job=~"$job"}, instance)'),
    ]
    pages = {
        "title": "VXLAN",
        "type": "dashboards",
        "tags": ["vxlan"],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
    alerts = {
        "name": "Annotations & Alerts",
        "type": "dashboard",
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": BLUE,
    }
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["vxlan"],
        "schemaVersion": 37,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "timezone": "",
        "weekStart": "",
        "liveNow": False,
        "fiscalYearStartMonth": 0,
        "style": "dark",
        "annotations": {"list": [alerts]},
        "links": [pages],
        "templating": {"list": [source, *scrape, *variables]},
        "panels": _numbered(panels, itertools.count(1)),
    }
