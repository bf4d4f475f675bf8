"""Writes the alerts into a directory: `python3 alerts/source [DIRECTORY]`, by default ../alerts itself.

A rule file here is a rule file there, with `<<name words>>` in place of what several alerts say: `fragments.name(words)`, indented as the
line it stands on. `<<runbook>>` is the address of the alert's own runbook.
"""

import pathlib
import re
import sys

import fragments

HEAD = "# Generated from source/{name}; `make alerts` writes it anew.\n"


def main():
    source = pathlib.Path(__file__).resolve().parent
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else source.parent
    for path in sorted(source.glob("*.yml")):
        text = HEAD.format(name=path.name) + "".join(expanded(path.read_text(encoding="utf-8")))
        (directory / path.name).write_text(text, encoding="utf-8")


def expanded(text):
    alert = None
    for line in text.splitlines(keepends=True):
        if line.strip().startswith("- alert: "):
            alert = line.split()[-1]
        indent = line[: len(line) - len(line.lstrip())]
        yield re.sub("<<(.+?)>>", lambda name: fragment(name[1].split(), alert).replace("\n", "\n" + indent), line)


def fragment(words, alert):
    if words == ["runbook"]:
        return f"docs/runbooks/{alert}.md"
    return getattr(fragments, words[0])(*words[1:])


if __name__ == "__main__":
    main()
