"""make bench: every benchmark one after another, each a table of ratios measured in one run."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("benchmarks.matching", "benchmarks.planning", "benchmarks.graphql")


def main() -> int:
    failed = 0
    for name in BENCHMARKS:
        print(f"\n## {name}\n", flush=True)
        failed |= subprocess.run([sys.executable, "-m", name], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
