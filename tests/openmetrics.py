"""Reads OpenMetrics from standard input with Prometheus' own client for Python, which is stricter than Prometheus
itself, and prints how many samples there are of each type."""

import collections
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

types = collections.Counter()
for family in text_string_to_metric_families(sys.stdin.read()):
    types[family.type] += len(family.samples)
print(*(f"{type}={count}" for type, count in sorted(types.items())))
