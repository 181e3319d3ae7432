"""Rotas: every visit on a day of its own where that is possible, none given away twice."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from marketplace.domain.exchange.rota import Asked, rota

MONDAY = date(2026, 11, 23)


@st.composite
def _problems(draw: st.DrawFn) -> tuple[list[Asked], date, date, int | None, dict[date, int]]:
    first = MONDAY + timedelta(days=draw(st.integers(0, 6)))
    days = draw(st.integers(1, 16))
    there = st.integers(0, days - 1).map(lambda d: first + timedelta(days=d))
    asked = draw(
        st.lists(
            st.builds(
                Asked,
                visits=st.integers(1, 5),
                every_days=st.sampled_from((None, None, 1, 3, 7)),
                last=st.none() | there,
                taken=st.frozensets(there, max_size=2),
            ),
            max_size=5,
        )
    )
    per_day = draw(st.none() | st.integers(1, 2))
    booked = draw(st.dictionaries(there, st.integers(0, 2), max_size=4))
    return asked, first, first + timedelta(days=days - 1), per_day, booked


def _span(day: date, every_days: int) -> int:
    return (day.toordinal() - 1) // every_days


def _most(
    asked: list[Asked], first: date, last: date, per_day: int | None, booked: dict[date, int]
) -> int:
    """How many visits can have a day at all, by another solver."""
    model = cp_model.CpModel()
    days = [first + timedelta(days=d) for d in range((last - first).days + 1)]
    on = {
        (i, day): model.new_int_var(0, need.visits, "")
        for i, need in enumerate(asked)
        for day in days
        if need.last is None or day <= need.last
    }
    for i, need in enumerate(asked):
        model.add(sum(v for (j, _), v in on.items() if j == i) <= need.visits)
        if need.every_days is not None:
            gone = {_span(day, need.every_days) for day in need.taken}
            for span in {_span(day, need.every_days) for day in days}:
                there = [
                    v for (j, d), v in on.items() if j == i and _span(d, need.every_days) == span
                ]
                model.add(sum(there) <= (0 if span in gone else 1))
    if per_day is not None:
        for day in days:
            room = max(0, per_day - booked.get(day, 0))
            model.add(sum(v for (_, d), v in on.items() if d == day) <= room)
    model.maximize(sum(on.values()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


@given(_problems())
def test_as_many_visits_get_a_day_as_can_and_no_rule_is_broken(
    problem: tuple[list[Asked], date, date, int | None, dict[date, int]],
) -> None:
    asked, first, last, per_day, booked = problem

    made = rota(asked, first=first, last=last, visits_per_day=per_day, booked=booked)

    for need, days in zip(asked, made, strict=True):
        assert len(days) <= need.visits
        assert days == sorted(days)
        assert all(first <= day <= (need.last or last) for day in days)
        if need.every_days is not None:
            spans = [_span(day, need.every_days) for day in (*days, *need.taken)]
            own = [_span(day, need.every_days) for day in days]
            assert len(set(own)) == len(own)
            assert len(set(spans)) == len(own) + len(set(spans) - set(own))
            assert not set(own) & {_span(day, need.every_days) for day in need.taken}
    if per_day is not None:
        for day, visits in Counter(day for days in made for day in days).items():
            assert visits + booked.get(day, 0) <= per_day
    assert sum(map(len, made)) == _most(asked, first, last, per_day, booked)


@given(st.data())
def test_what_the_days_hold_by_their_number_gets_a_day_each(data: st.DataObject) -> None:
    days = data.draw(st.integers(1, 40))
    per_day = data.draw(st.integers(1, 3))
    first = MONDAY + timedelta(days=data.draw(st.integers(0, 6)))
    room = days * per_day
    asked: list[Asked] = []
    while room and len(asked) < 12:
        every = data.draw(st.sampled_from((None, 1, 7, 14)))
        most = min(room, days // every if every else room)
        if most == 0:
            break
        visits = data.draw(st.integers(1, most))
        room -= visits
        asked.append(Asked(visits=visits, every_days=every))

    made = rota(asked, first=first, last=first + timedelta(days=days - 1), visits_per_day=per_day)

    assert [len(found) for found in made] == [need.visits for need in asked]


def test_weekly_visits_are_spread_over_the_weeks() -> None:
    weekly = Asked(visits=4, every_days=7)

    (days,) = rota([weekly], first=MONDAY, last=MONDAY + timedelta(days=27), visits_per_day=1)

    assert [(day - MONDAY).days // 7 for day in days] == [0, 1, 2, 3]


def test_a_period_that_is_over_has_no_days() -> None:
    assert rota([Asked(visits=1)], first=MONDAY, last=MONDAY - timedelta(days=1)) == [[]]
