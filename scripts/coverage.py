#!/usr/bin/env python3
"""coverage.py FILE: lines that tests reach, by module and by file, from the JSON of `cargo llvm-cov`."""

import json
import sys

MODULES = ["src/path/", "src/overlay/", "src/router/parse/", "src/reflector/"]


def lines(files):
    return sum(count for _, count, _ in files), sum(covered for _, _, covered in files)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = json.load(file)["data"][0]["files"]
    for module in MODULES:
        files = []
        for entry in found:
            name = "src/" + entry["filename"].rpartition("/src/")[2]
            own = max((known for known in MODULES if name.startswith(known)), key=len, default=None)
            if own == module:
                files.append((name, entry["summary"]["lines"]["count"], entry["summary"]["lines"]["covered"]))
        count, covered = lines(files)
        print(f"{module:<44}{covered:>7} of {count:>6} lines {covered * 100 / max(count, 1):>6.1f} %")
        for name, count, covered in sorted(files, key=lambda file: file[2] - file[1]):
            if covered < count:
                print(f"  {name:<42}{covered:>7} of {count:>6} lines {covered * 100 / count:>6.1f} %")


main()
