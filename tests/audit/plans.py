"""Pictures of a plan from made-up files, in both languages, for the browser to look at."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

TOWNSHIPS = ("361027100", "361027101", "361027102", "361027103", "361027104", "361027105")
KINDS = ("大米", "菜籽油", "棉被", "轮椅")
GROUPS = ("ELDERLY_ALONE", "STUDENT", "DISABLED", "SEVERELY_ILL", "SINGLE_PARENT")
SEED = 361027


def draw(folder: Path) -> None:
    """Write zh.html and en.html, of 400 needs and 30 offers of providers with long names."""
    dice = random.Random(SEED)
    needs = ["need_id,category,quantity,severity,region,groups"]
    needs += [
        f"n{i},{dice.choice(KINDS)},{dice.randint(1, 20)},{dice.randint(1, 100)},"
        f"{dice.choice(TOWNSHIPS)}001,{dice.choice(GROUPS)}"
        for i in range(400)
    ]
    offers = ["offer_id,category,quantity,organization,regions"]
    offers += [
        f"o{i},{dice.choice(KINDS)},{dice.randint(20, 120)},"
        f"金溪县第{i % 12}爱心志愿服务与慈善联合会,{dice.choice(TOWNSHIPS)}"
        for i in range(30)
    ]
    (folder / "needs.csv").write_text("\n".join(needs), encoding="utf-8")
    (folder / "offers.csv").write_text("\n".join(offers), encoding="utf-8")
    for language in ("zh", "en"):
        options = ["--needs", "needs.csv", "--offers", "offers.csv", "--out", "plan.csv"]
        options += ["--language", language, "--report", f"{language}.html"]
        command = [sys.executable, "-m", "marketplace.cli", "match", *options]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
