"""Drawing: Vega-Lite specifications to SVG, in this process or in a child of it.

The engine keeps the interpreter to itself while it draws (a second for the first chart), so a
server lets a child do it: `python -m marketplace.services.reports.drawing` reads specifications
as JSON from its standard input and writes the drawings as JSON.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Mapping

from marketplace.domain.errors import Text
from marketplace.services.reports.charts import Spec

ENGINE = "vl_convert"
VEGA_LITE = "6.4"
MISSING = Text(
    "Pictures of plans need an extra package: pip install 'aidloop[report]'",
    "生成方案图示需要安装附加组件：pip install 'aidloop[report]'",
)


class CannotDraw(Exception):
    """The drawing package is not installed, or did not answer in time."""

    def __init__(self, said: Text) -> None:
        super().__init__(said.en)
        self.said = said


def check_can_draw() -> None:
    """Raise CannotDraw where the extra `report` is not installed."""
    if importlib.util.find_spec(ENGINE) is None:
        raise CannotDraw(MISSING)


def draw(specs: Mapping[str, Spec]) -> dict[str, str]:
    """Each specification as SVG, in this process. Raises CannotDraw."""
    check_can_draw()
    import vl_convert  # the extra `report`; an engine of 80 MB that few processes need

    return {
        key: vl_convert.vegalite_to_svg(dict(spec), vl_version=VEGA_LITE, allowed_base_urls=[])
        for key, spec in specs.items()
    }


async def draw_apart(specs: Mapping[str, Spec], *, deadline_s: float) -> dict[str, str]:
    """The same in a child process, which is killed at the deadline. Raises CannotDraw."""
    check_can_draw()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(deadline_s):
            answer, _ = await child.communicate(json.dumps(specs).encode())
    except TimeoutError:
        raise CannotDraw(
            Text(
                f"The picture was not drawn within {deadline_s:g} seconds. Try again later.",
                f"未能在 {deadline_s:g} 秒内生成图示，请稍后重试。",
            )
        ) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 0, f"drawing ended with {child.returncode}"
    drawn: dict[str, str] = json.loads(answer)
    return drawn


def main() -> None:
    json.dump(draw(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
