"""How a match is shown on a terminal: verdict, warnings, and who gets what share."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from marketplace.cli import console
from marketplace.domain.errors import Fault, Language, Text
from marketplace.domain.plausibility import CEILING, FLOOR, TIMES_MEDIAN
from marketplace.services.matchfiles import proof, shares
from marketplace.services.matchfiles.building import ASSUMED_KM
from marketplace.services.matchfiles.running import FileRead, Matched
from marketplace.services.matchfiles.writing import unit_cost

FAULTS_SHOWN = 50
ABSURD_SHOWN = 5
WIDE = 120
NOTHING = Text("", "")


def show_faults(faults: Sequence[Fault], count: int, speaks: Language, *, refused: bool) -> None:
    """Every bad row with its reason, on stderr; the first fifty of them."""
    ordered = sorted(faults, key=_place)
    for fault in ordered[:FAULTS_SHOWN]:
        console.err.print(f"  {escape(fault.text.said_in(speaks))}", soft_wrap=True)
    if count > FAULTS_SHOWN:
        rest = count - FAULTS_SHOWN
        more = Text(f"  … and {rest:,} more (see --json).", f"  …… 另有 {rest:,} 处（见 --json）。")
        console.err.print(more.said_in(speaks), soft_wrap=True)
    if refused:
        said = Text(
            f"Refused: {count:,} faults, nothing was written. Mend them, or leave bad rows out "
            "with --skip-bad.",
            f"已拒绝：共 {count:,} 处错误，未写入任何内容。请修正，或用 --skip-bad 跳过有错的行。",
        )
    else:
        said = Text(
            f"{count:,} faults: the rows that hold them were left out.",
            f"共 {count:,} 处错误，有错的行已跳过。",
        )
    mark = "[bold red]✗[/]" if refused else "[bold yellow]![/]"
    console.err.print(f"{mark} {said.said_in(speaks)}", soft_wrap=True)


def show_matched(matched: Matched, out: Path, lines: int, speaks: Language) -> None:
    """Warnings on stderr; verdict, totals and tables on stdout."""
    for file in matched.files:
        _warn(file, speaks)
    if assumed := matched.market.assumed:
        _warning(
            Text(
                f"{assumed:,} pairs lack a coordinate; {ASSUMED_KM} km is assumed for them.",
                f"{assumed:,} 个组合缺少经纬度，距离按 {ASSUMED_KM} 公里计。",
            ),
            speaks,
        )
    if matched.skipped_count:
        show_faults(matched.skipped, matched.skipped_count, speaks, refused=False)
    optimal = matched.plan.status == "optimal"
    mark = "[bold green]✓[/]" if optimal else "[bold yellow]![/]"
    console.out.print(f"{mark} {proof.verdict(matched.plan).said_in(speaks)}", soft_wrap=True)
    _say(_totals(matched), speaks)
    if matched.market.priced and matched.total.served:
        _say(_cost(matched), speaks)
    _print(_steps(matched, speaks))
    for table in matched.tables:
        _print(_shares(table, speaks))
    if any(offer.organization for offer in matched.market.offers):
        _print(_given(matched.given, speaks))
    if matched.first_come is not None:
        _print(_compared(matched, speaks))
    seconds = matched.seconds
    _say(
        Text(
            f"{lines:,} lines written to {out}. Read in {seconds['read']:.1f} s, built in "
            f"{seconds['build']:.1f} s, solved and proven in {seconds['solve']:.1f} s.",
            f"已写入 {lines:,} 行：{out}。读取 {seconds['read']:.1f} 秒，"
            f"建模 {seconds['build']:.1f} 秒，求解与证明 {seconds['solve']:.1f} 秒。",
        ),
        speaks,
    )


def _place(fault: Fault) -> tuple[str, int]:
    row = fault.field[1] if len(fault.field) > 1 else "0"
    return (fault.field[0] if fault.field else "", int(row) if row.isdigit() else 0)


def _say(text: Text, speaks: Language) -> None:
    console.out.print(escape(text.said_in(speaks)), soft_wrap=True)


def _wide() -> bool:
    """Room for all columns; a file or a pipe has any width."""
    return not console.out.is_terminal or console.out.width >= WIDE


def _print(table: Table) -> None:
    if console.out.is_terminal:
        console.out.print(table)
    else:
        Console(file=console.out.file, width=WIDE, highlight=False).print(table)


def _table(title: Text, speaks: Language, *headings: Text) -> Table:
    """The first column holds names, the others numbers that are never cut short."""
    table = Table(title=title.said_in(speaks), title_justify="left", box=box.SIMPLE_HEAD)
    for index, heading in enumerate(headings):
        said = heading.said_in(speaks)
        if index:
            table.add_column(said, justify="right", no_wrap=True)
        else:
            table.add_column(said, overflow="fold")
    return table


def _warn(file: FileRead, speaks: Language) -> None:
    if file.unknown_columns:
        names = ", ".join(file.unknown_columns)
        _warning(
            Text(
                f"{file.name}: columns not used: {names}.",
                f"{file.name}：未使用的列：{names}。",
            ),
            speaks,
        )
    if file.too_large:
        _warning(
            Text(
                f"{file.name}: {file.too_large:,} of {file.rows:,} rows left out as larger than "
                "--max-quantity.",
                f"{file.name}：{file.rows:,} 行中有 {file.too_large:,} 行数量超过 --max-quantity，"
                "已剔除。",
            ),
            speaks,
        )
    if not file.implausible:
        return
    _warning(
        Text(
            f"{file.name}: {len(file.implausible):,} implausible quantities: {TIMES_MEDIAN:,} "
            f"times the median of their category and at least {FLOOR:,}, or at least "
            f"{CEILING:,}. They are used as they stand; --max-quantity leaves them out.",
            f"{file.name}：{len(file.implausible):,} 个数量不合理（达到同类中位数的 "
            f"{TIMES_MEDIAN:,} 倍且不少于 {FLOOR:,}，或不少于 {CEILING:,}）。现仍按原数参与匹配；"
            "可用 --max-quantity 剔除。",
        ),
        speaks,
    )
    for id_, kind, found in file.implausible[:ABSURD_SHOWN]:
        line = Text(
            f"    {id_}: {found.quantity:,} of {kind} (median {found.median:,})",
            f"    {id_}：{kind} {found.quantity:,}（中位数 {found.median:,}）",
        )
        console.err.print(escape(line.said_in(speaks)), soft_wrap=True)
    if len(file.implausible) > ABSURD_SHOWN:
        console.err.print("    …")


def _warning(text: Text, speaks: Language) -> None:
    console.err.print(f"[bold yellow]![/] {escape(text.said_in(speaks))}", soft_wrap=True)


def _totals(matched: Matched) -> Text:
    total, market = matched.total, matched.market
    return Text(
        f"{len(market.needs):,} needs, {len(market.offers):,} offers, "
        f"{market.problem.n_pairs:,} pairs. {total.served:,} of {total.asked:,} units served "
        f"({total.units_share:.1%}); {total.full:,} needs in full, {total.quarter:,} at least a "
        f"quarter, {total.none:,} nothing.",
        f"需求 {len(market.needs):,} 项，供给 {len(market.offers):,} 项，可匹配组合 "
        f"{market.problem.n_pairs:,} 个。满足 {total.served:,}/{total.asked:,}"
        f"（{total.units_share:.1%}）；{total.full:,} 项全额满足，"
        f"{total.quarter:,} 项至少四分之一，{total.none:,} 项未获满足。",
    )


def _cost(matched: Matched) -> Text:
    market = matched.market
    unit = market.cost_unit or "cost"
    each = matched.plan.cost / market.cost_scale / matched.total.served
    whole = f"{Decimal(unit_cost(matched.plan.cost, market)):,}"
    return Text(
        f"Cost: {whole} units × {unit}, {each:,.2f} a unit on average.",
        f"成本：共 {whole}（{unit}×数量），平均每单位 {each:,.2f}。",
    )


def _steps(matched: Matched, speaks: Language) -> Table:
    table = _table(
        Text("In the policy's order", "按优先次序"),
        speaks,
        Text("what comes first", "次序"),
        Text("units asked", "需求量"),
        Text("units served", "满足量"),
        Text("share", "比例"),
    )
    for step in proof.steps(matched.plan):
        share = step.served / step.asked
        table.add_row(
            step.text.said_in(speaks), f"{step.asked:,}", f"{step.served:,}", f"{share:.1%}"
        )
    return table


def _shares(shown: shares.Table, speaks: Language) -> Table:
    table = _table(shown.title, speaks, NOTHING, *_share_headings())
    for name, share in shown.rows:
        table.add_row(escape(name.said_in(speaks)), *_share_cells(share))
    if shown.left_out:
        more = Text(f"… {shown.left_out:,} more", f"…… 另有 {shown.left_out:,} 组")
        table.add_row(more.said_in(speaks))
    return table


def _share_headings() -> tuple[Text, ...]:
    units = (Text("units asked", "需求量"), Text("units served", "满足量"))
    return (
        Text("needs", "需求项"),
        *(units if _wide() else ()),
        Text("of units", "数量比例"),
        Text("mean share", "平均满足率"),
        Text("≥ 1/4", "≥ 1/4"),
        Text("in full", "全额"),
        Text("nothing", "未满足"),
    )


def _share_cells(share: shares.Share) -> tuple[str, ...]:
    units = (f"{share.asked:,}", f"{share.served:,}")
    return (
        f"{share.needs:,}",
        *(units if _wide() else ()),
        f"{share.units_share:.1%}",
        f"{share.mean_share:.1%}",
        f"{share.quarter:,}",
        f"{share.full:,}",
        f"{share.none:,}",
    )


def _given(given: shares.Given, speaks: Language) -> Table:
    table = _table(
        Text("By provider: what each gives", "按供给单位"),
        speaks,
        NOTHING,
        Text("offers", "供给项"),
        Text("units offered", "供给量"),
        Text("units given", "使用量"),
    )
    for name, offers, offered, used in given.rows:
        table.add_row(escape(name), f"{offers:,}", f"{offered:,}", f"{used:,}")
    if given.left_out:
        more = Text(f"… {given.left_out:,} more", f"…… 另有 {given.left_out:,} 家")
        table.add_row(more.said_in(speaks))
    return table


def _compared(matched: Matched, speaks: Language) -> Table:
    """The plan beside first come, first served, on the same needs, offers and pairs."""
    market, first_come = matched.market, matched.first_come
    assert first_come is not None
    unit = market.cost_unit or Text("cost", "成本").said_in(speaks)
    table = _table(
        Text("Against first come, first served", "与“先到先得”对比"),
        speaks,
        NOTHING,
        *_share_headings(),
        Text(f"{unit} a unit", f"每单位{unit}"),
    )
    theirs = shares.total(market.needs, first_come.units)
    for name, share, cost in (
        (Text("this plan", "本方案"), matched.total, matched.plan.cost),
        (Text("first come", "先到先得"), theirs, first_come.cost),
    ):
        mean = cost / market.cost_scale / share.served if share.served and market.priced else None
        each = "—" if mean is None else f"{mean:,.2f}"
        table.add_row(name.said_in(speaks), *_share_cells(share), each)
    return table
