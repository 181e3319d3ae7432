"""Drawing: Vega-Lite specifications to SVG, without a browser and without the network.

The engine keeps the interpreter to itself while it draws (over a second for the first chart).
"""

from __future__ import annotations

import importlib.util
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
    """The drawing package is not installed, or took too long."""

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
