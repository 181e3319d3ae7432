"""Files that people hand in: tables read, checked row by row, and taken in."""

from marketplace.services.importing.report import ImportOptions, ImportReport, RowProblem
from marketplace.services.importing.running import KINDS, run

__all__ = ["KINDS", "ImportOptions", "ImportReport", "RowProblem", "run"]
