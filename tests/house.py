"""The house rules that no other tool checks: file lengths, file names, paths named in the docs.

Run by `make check`; prints each broken rule and what to do, and exits with 1 if there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINES_MAX = 400
SOURCE = {".py", ".js", ".mjs", ".ts", ".sh"}
NAMED_PATH = re.compile(
    r"`((?:marketplace|schema|matching|migrations|tests|benchmarks|docs)/[^`\s*{}<>]+)`"
)
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py", "common.py"}


def files() -> list[Path]:
    """What git tracks, and what it would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def too_long(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        if path.suffix in SOURCE:
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LINES_MAX:
                found.append(
                    f"{path.relative_to(ROOT)}: {lines} lines; split it (at most {LINES_MAX})."
                )
    return found


def nameless(paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: name the file for what it is about."
        for path in paths
        if path.name in FORBIDDEN_NAMES
    ]


def missing_paths(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        if path.suffix != ".md" or "adr" in path.parts:
            continue
        found += [
            f"{path.relative_to(ROOT)} names {named}, which does not exist."
            for named in NAMED_PATH.findall(path.read_text(encoding="utf-8"))
            if not (ROOT / named.rstrip("/.,:")).exists()
        ]
    return found


def addresses_in_locks(paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: lock files carry versions and hashes, never download addresses."
        for path in paths
        if path.name in {"package-lock.json", "constraints.txt"} and "://" in path.read_text()
    ]


def undocumented(paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: begin with one sentence that says what the file is about."
        for path in paths
        if path.suffix == ".py"
        and path.stat().st_size > 0
        and not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""', "#!"))
    ]


def main() -> int:
    paths = files()
    rules = (too_long, nameless, missing_paths, addresses_in_locks, undocumented)
    broken = [line for rule in rules for line in rule(paths)]
    for line in broken:
        print(line)
    print(f"house rules: {len(broken)} broken, {len(paths)} files looked at")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
