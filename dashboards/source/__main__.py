"""Writes the dashboards into a directory: `python3 dashboards/source [DIRECTORY]`, by default ../dashboards itself."""

import json
import pathlib
import sys

import health
import overlay
import router

PAGES = {"vxlan-overlay": overlay, "vxlan-router": router, "exporter-health": health}


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    for name, page in PAGES.items():
        text = json.dumps(page.DASHBOARD, indent=2, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
