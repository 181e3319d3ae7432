"""The shipped data of `ppe-match` as the three files that `aidloop match` reads.

Nothing is cleaned: quantities stay as people typed them. A request or donation is a row of its own,
also where somebody sent the same one twice. Every donation may go to every request of its kind.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NEEDS_COLUMNS = ("need_id", "category", "quantity", "household", "date")
OFFERS_COLUMNS = ("offer_id", "category", "quantity", "organization", "date")
PAIRS_COLUMNS = ("need_id", "offer_id", "cost (miles)")


@dataclass(frozen=True, slots=True)
class Converted:
    """The files, and how many rows each has."""

    needs: Path
    offers: Path
    pairs: Path
    n_needs: int
    n_offers: int
    n_pairs: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a recipient or a donor (`party`) sent; `row` numbers them as the file has them."""

    row: str
    party: str
    kind: str
    quantity: int
    date: str


def convert(out: Path) -> Converted:
    """Write needs.csv, offers.csv and pairs.csv into the folder `out`.

    Raises FileNotFoundError where the package is not installed.
    """
    source = data_folder()
    out.mkdir(parents=True, exist_ok=True)
    needs = list(_requests(source / "anon_recipients.csv", "n"))
    offers = list(_requests(source / "anon_donors.csv", "o"))
    files = out / "needs.csv", out / "offers.csv", out / "pairs.csv"
    _write(files[0], NEEDS_COLUMNS, needs)
    _write(files[1], OFFERS_COLUMNS, offers)
    n_pairs = _write_pairs(files[2], needs, offers, source / "anon_distance_matrix.csv")
    return Converted(*files, len(needs), len(offers), n_pairs)


def data_folder() -> Path:
    """Where the package keeps its data; found without importing it."""
    spec = find_spec("ppe_match")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The package ppe-match is not installed. Run: make real")
    return Path(spec.submodule_search_locations[0]) / "data"


def _requests(path: Path, letter: str) -> Iterator[Request]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for _, party, date, kind, quantity in rows:
            # Floats in the source, all of them whole and far below 2^53.
            yield Request(
                f"{letter}{rows.line_num - 1}", party, kind, int(float(quantity)), date[:19]
            )


def _write(path: Path, columns: tuple[str, ...], requests: list[Request]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows((r.row, r.kind, r.quantity, r.party, r.date) for r in requests)


def _write_pairs(path: Path, needs: list[Request], offers: list[Request], matrix: Path) -> int:
    """Every donation with every request of its kind; the source has a distance for all of them."""
    miles: defaultdict[str, dict[str, str]] = defaultdict(dict)
    with matrix.open(newline="", encoding="utf-8") as file:
        next(file)
        for line in file:
            donor, recipient, distance = line.rstrip("\r\n").split(",")
            miles[donor][recipient] = distance
    of_kind: defaultdict[str, list[Request]] = defaultdict(list)
    for need in needs:
        of_kind[need.kind].append(need)
    count = 0
    with path.open("w", newline="", encoding="utf-8") as out:
        out.write(",".join(PAIRS_COLUMNS) + "\n")
        for offer in offers:
            distance_to = miles[offer.party]
            out.writelines(
                f"{need.row},{offer.row},{distance_to[need.party]}\n"
                for need in of_kind[offer.kind]
            )
            count += len(of_kind[offer.kind])
    return count
