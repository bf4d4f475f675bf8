"""Validates objects against the API of some versions of Kubernetes, strictly: an unknown field is an error.

    kubernetes.py VERSION... < JSON list of {"from": "…", "object": {…}}

Prints one line per error, and nothing else.
"""

import functools
import json
import sys

from kubernetes_validate import utils

# Without a cache it would read a megabyte of definitions for each object.
utils.schema_contents = functools.cache(utils.schema_contents)

entries = json.load(sys.stdin)
for version in sys.argv[1:]:
    for entry in entries:
        where = f"{entry['from']}, Kubernetes {version}, {entry['object']['kind']}"
        try:
            utils.validate(entry["object"], version, strict=True)
        except utils.ValidationError as error:
            print(f"{where}: {'.'.join(map(str, error.path))}: {error.message}")
        except utils.SchemaNotFoundError as error:
            print(f"{where}: {error.message}")
