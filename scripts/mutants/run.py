#!/usr/bin/env python3
"""Changes the deciding code of a path in every place, one at a time, and reports what notices: docs/reliability.md.

All mutants are built into one binary, in a copy of the tree, and the environment variable MUTANT
switches one on. Each is tried with the path's unit tests, then with every run of a scenario and every
network of the simulation in which it makes a difference, the quickest first, until something notices.
A mutant that computes for far too long counts as noticed. Results are kept in
target/mutants/results.jsonl: with that file a later run continues, without it it starts from the beginning.
"""

import argparse
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutate import File

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
WORK = ROOT / "target/mutants"
TREE = WORK / "tree"
SCENARIOS = TREE / "tests/simulation/scenarios"
RESULTS = WORK / "results.jsonl"
FILES = [
    *(f"verdict{part}" for part in ("", "/decide", "/holes", "/path_mtu", "/way_back", "/facts", "/target_mtu", "/expected_mtu")),
    *("pairs", "proof", "edge", "detector", "detector/detect", "detector/begin", "detector/conclude", "detector/of_flows"),
]
# The runner of scenarios and networks, in the copy.
EXAMPLE = '\n[[example]]\nname = "notice"\npath = "tests/simulation/notice.rs"\n'
# What the path needs of the library. All else is left out, with the tests of these: that builds in
# a minute.
NEEDED = {
    "src/lib.rs": ["model", "mutant", "path", "text", "work"],
    "src/model.rs": ["family", "fingerprint", "observation", "snapshot", "types", "vnis"],
}
# Unit tests that play whole networks for seconds: the simulation does that better.
SLOW = ["sending"]
# Of a mutant that has met the unit tests alone.
UNNOTICED = "lives: no unit test notices"
# CPU seconds: many times what the slowest case needs, so that only endless ones are stopped.
LONG = 120


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", nargs="*", default=FILES, help="names of modules (default: %(default)s)")
    options.add_argument("--runs", type=int, default=3, help="of each scenario, at most (default: %(default)s)")
    options.add_argument("--networks", type=int, default=300, help="of the simulation (default: %(default)s)")
    options.add_argument("--jobs", type=int, default=2, help="mutants at a time (default: %(default)s)")
    options.add_argument("--units", action="store_true", help="only unit tests, no cases")
    options.add_argument("--again", action="store_true", help="try those anew that lived the last time")
    options.add_argument("--list", action="store_true", help="only print the table and those that live")
    options = options.parse_args()
    sources = [source for name in FILES for source in sources_of(name)]
    copy_tree(sources)
    mutants = write_mutants(sources)
    known = read_results()
    if not options.list:
        chosen = {str(source.relative_to(ROOT)) for name in options.files for source in sources_of(name)}
        known = run(options, [mutant for mutant in mutants if mutant.file in chosen], known)
    report(mutants, known)


def sources_of(name):
    """The file of a module, anywhere below a folder `path`."""
    return [file for file in (ROOT / "src").rglob(f"{name}.rs") if module_of_path(file)]


def module_of_path(file):
    """`a::path`, for a file below src/a/path/."""
    parts = file.relative_to(ROOT / "src").parts[:-1]
    return "::".join(parts[: parts.index("path") + 1]) if "path" in parts else None


def copy_tree(sources):
    """Copies the tree, without what is replaced; unchanged files keep their time, so that cargo builds only changes."""
    sim = "tests/simulation/sim/mod.rs"
    added = {
        "Cargo.toml": (ROOT / "Cargo.toml").read_text() + EXAMPLE,
        **{file: "#![allow(warnings)]\n" + "".join(f"pub mod {name};\n" for name in names) for file, names in NEEDED.items()},
        "src/mutant.rs": (HERE / "mutant.rs").read_text(),
        # The reflector's size search needs the reflector, and has tests of its own.
        sim: (ROOT / sim).read_text().replace("pub mod reflected;\n", ""),
        "tests/simulation/notice.rs": (HERE / "notice.rs").read_text(),
    }
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    names = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    for old in [file for file in TREE.rglob("*") if file.is_file() and str(file.relative_to(TREE)) not in names | set(added)]:
        old.unlink()
    for name in names - set(added) - {str(source.relative_to(ROOT)) for source in sources}:
        content = (ROOT / name).read_bytes()
        if name.startswith("src/") and not module_of_path(ROOT / name):
            content = content.split(b"\n#[cfg(test)]\nmod tests")[0] + b"\n"
        write(TREE / name, content)
    for name, text in added.items():
        write(TREE / name, text.encode())


def write(file, content):
    if not file.exists() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def write_mutants(sources):
    mutants = []
    for source in sources:
        file = File(str(source.relative_to(ROOT)), source.read_bytes(), len(mutants))
        write(TREE / file.name, file.text)
        mutants += file.mutants
    return mutants


def read_results():
    if not RESULTS.exists():
        return {}
    return {entry["key"]: entry["noticed"] for entry in map(json.loads, RESULTS.read_text().splitlines())}


def run(options, mutants, known):
    wanted = [mutant for mutant in mutants if mutant.key not in known or (options.again and not noticed(known[mutant.key]))]
    if not wanted:
        return known
    tests = build("test", "--no-run", "--lib")
    path = module_of_path(next(iter(sources_of("verdict"))))
    units = [tests, f"{path}::", *(word for name in SLOW for word in ("--skip", name))]
    right = bounded(units)
    if right.returncode != 0:
        raise SystemExit(f"the unit tests fail without a mutant:\n{right.stdout}")
    try_all(options, wanted, lambda mutant: by_units(mutant, units), known)
    left = [mutant for mutant in wanted if not noticed(known[mutant.key])]
    if left and not options.units:
        notice = build("build", "--example", "notice")
        cases = record(notice, options)
        try_all(options, left, lambda mutant: by_cases(mutant, notice, cases), known)
    return known


def try_all(options, mutants, what_notices, known):
    with ThreadPoolExecutor(options.jobs) as pool, RESULTS.open("a", encoding="utf-8") as results:
        tried = pool.map(lambda mutant: (mutant, what_notices(mutant)), mutants)
        for count, (mutant, by) in enumerate(tried, 1):
            known[mutant.key] = by
            # What no unit test notices has its cases yet to meet: broken off, the run goes on
            # there.
            if by != UNNOTICED:
                results.write(json.dumps({"key": mutant.key, "noticed": by}) + "\n")
                results.flush()
            print(f"{count}/{len(mutants)} {mutant.file}:{mutant.line} {mutant.change}: {by}", flush=True)


def build(command, *what):
    """The program that cargo makes in the copy, with all mutants in it."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
    command = ["cargo", command, "--locked", "--message-format=json-render-diagnostics", *what]
    done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    programs = [json.loads(line).get("executable") for line in done.stdout.splitlines()]
    return [program for program in programs if program][-1]


def record(notice, options):
    """Every case with the mutants that make a difference in it, quickest first."""

    def ask(what, *arguments):
        done = subprocess.run([notice, SCENARIOS, what, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"the simulation fails without a mutant: {done.stderr}")
        return done.stdout.splitlines()

    names = ask("list", str(options.runs), str(options.networks))
    with ThreadPoolExecutor(options.jobs) as pool:
        played = list(pool.map(lambda job: ask("record", *names[job :: options.jobs]), range(options.jobs)))
    cases = []
    for line in (line for part in played for line in part):
        case, milliseconds, met = line.split(" ")
        cases.append((int(milliseconds), case, {int(number) for number in met.split(",") if number}))
    return sorted(cases, key=lambda case: case[0])


def by_units(mutant, units):
    """Which unit test notices. Those of its own room come first: they are quick, and nearly always enough."""
    room = Path(mutant.file).relative_to("src").with_suffix("").parts[:2]
    done = bounded([units[0], "::".join(room) + "::"], mutant)
    if done.returncode == 0:
        done = bounded(units, mutant)
    if done.returncode < 0:
        return "unit tests: it does not end"
    if done.returncode > 0:
        failed = re.search(r"^failures:\n    (\S+)$", done.stdout, re.MULTILINE)
        return f"unit tests: {failed.group(1) if failed else 'a panic'}"
    return UNNOTICED


def by_cases(mutant, notice, cases):
    """Which case notices, or why none does."""
    met = [case for _, case, mutants in cases if mutant.number in mutants]
    for kind in ("scenarios", "networks"):
        some = [case for case in met if case.startswith("network/") == (kind == "networks")]
        if not some:
            continue
        done = bounded([notice, SCENARIOS, "play", *some], mutant, LONG + 2 * len(some))
        if done.returncode != 0:
            case = done.stdout.split()[-1]
            return f"{kind}: {case}" + (" does not end" if done.returncode < 0 else "")
    return f"lives: no difference in {len(met)} cases" if met else "lives: nothing comes there"


def noticed(by):
    return not by.startswith("lives")


def bounded(command, mutant=None, seconds=LONG):
    """Runs a program with limits on CPU time and memory; one stopped by them has a negative return code."""
    environment = {**os.environ, "MUTANT": str(mutant.number) if mutant else "", "RUST_BACKTRACE": "0"}
    command = ["prlimit", f"--cpu={seconds}", f"--as={8 << 30}", *command]
    return subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def report(mutants, known):
    columns = ["unit tests", "scenarios", "networks", "lives"]
    print("| file | mutants | by unit tests | by scenarios | by networks | live | not yet tried |\n|---|--:|--:|--:|--:|--:|--:|")
    for file in dict.fromkeys(mutant.file for mutant in mutants):
        own = [known.get(mutant.key, "") for mutant in mutants if mutant.file == file]
        counts = [sum(by.startswith(column) for by in own) for column in columns] + [own.count("")]
        print(f"| {file} | {len(own)} | " + " | ".join(map(str, counts)) + " |")
    for mutant in mutants:
        if known.get(mutant.key, "").startswith("lives"):
            print(f"{mutant.file}:{mutant.line} {mutant.key.split(' ', 1)[1]} ({known[mutant.key]})")


main()
