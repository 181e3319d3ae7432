"""Notifications: which events concern whom, and how they are said; never with personal data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from marketplace.domain.errors import Text
from marketplace.domain.permissions import OFFICERS, PROVIDERS, Role

GIVERS = PROVIDERS
CHARITY = frozenset({Role.CHARITY_OFFICER})
ASSISTANCE = frozenset({Role.ASSISTANCE_OFFICER})
TOWNSHIP = frozenset({Role.TOWNSHIP_OFFICER})
GRID = frozenset({Role.GRID_WORKER})
FAMILY = frozenset({Role.APPLICANT})
DESKS = CHARITY | ASSISTANCE | TOWNSHIP


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that somebody wants to hear of.

    to    roles: providers of the organization concerned, officers whose region holds the place,
          applicants of the household
    """

    to: frozenset[Role]
    label: Text


NOTICES: Mapping[str, Notice] = {
    "need.referred": Notice(CHARITY, Text("A need was referred for review", "有需求转介待审核")),
    "need.returned": Notice(ASSISTANCE, Text("A need came back for more", "需求被退回补充材料")),
    "need.rejected": Notice(ASSISTANCE, Text("A need was rejected", "需求未通过审核")),
    "need.published": Notice(FAMILY, Text("Your need was published", "您的需求已发布")),
    "need.fulfilled": Notice(FAMILY | ASSISTANCE, Text("A need was met in full", "需求已全部落实")),
    "need.closed": Notice(FAMILY, Text("Your need is closed", "您的需求已办结")),
    "need.expired": Notice(
        FAMILY | ASSISTANCE, Text("A need passed its deadline", "需求已超过截止时间")
    ),
    "consent.lapsed": Notice(
        FAMILY | TOWNSHIP, Text("A consent has run out", "慈善救助授权已到期")
    ),
    "offer.expired": Notice(GIVERS, Text("Your offer has expired", "您的供给已过期")),
    "organization.verified": Notice(
        GIVERS, Text("Your organization was verified", "您的单位已通过核验")
    ),
    "organization.suspended": Notice(
        GIVERS, Text("Your organization was suspended", "您的单位已被暂停")
    ),
    "allocation.reserved": Notice(
        GIVERS,
        Text("Part of your offer was set aside: please accept", "您的供给已被预留，请确认接受"),
    ),
    "allocation.accepted": Notice(
        GRID, Text("Something will come to your grid cell", "有物资或服务将送达您的网格")
    ),
    "allocation.declined": Notice(CHARITY, Text("A provider declined", "供给方谢绝匹配")),
    "allocation.dispatched": Notice(
        GRID | FAMILY, Text("Something is on its way", "物资或服务已发出")
    ),
    "allocation.delivered": Notice(
        FAMILY, Text("Something was delivered: please confirm", "物资或服务已送达，请确认")
    ),
    "allocation.confirmed": Notice(GIVERS, Text("Receipt was confirmed", "受助方已确认收到")),
    "allocation.disputed": Notice(GIVERS | CHARITY, Text("Receipt is in dispute", "收货存在异议")),
    "allocation.cancelled": Notice(GIVERS, Text("An allocation was cancelled", "匹配已取消")),
    "allocation.settled": Notice(GIVERS, Text("A dispute was settled", "异议已处理")),
    "result.sent": Notice(DESKS, Text("A result is to be acknowledged", "有结果反馈待签收")),
    "result.escalated": Notice(DESKS, Text("A result is overdue", "结果反馈逾期未签收")),
    "result.rated": Notice(
        GIVERS | DESKS, Text("The other side rated a result", "对方已对结果作出评定")
    ),
    "feedback.submitted": Notice(DESKS, Text("Feedback is to be answered", "有反馈待答复")),
    "feedback.forwarded": Notice(DESKS, Text("Feedback was passed on to you", "有反馈转交答复")),
    "feedback.reopened": Notice(DESKS, Text("Feedback was taken up again", "反馈被重新提出")),
    "feedback.answered": Notice(
        GIVERS | FAMILY, Text("Your feedback was answered", "您的反馈已有答复")
    ),
    "feedback.escalated": Notice(DESKS, Text("Feedback is overdue", "反馈逾期未答复")),
    "helpedList.reported": Notice(
        CHARITY, Text("A list of those helped was reported", "救助人员名单已上报")
    ),
    "helpedList.received": Notice(
        GIVERS, Text("Your list of those helped was received", "救助人员名单已接收")
    ),
    "allocation.attempted": Notice(
        GIVERS | FAMILY, Text("A delivery found nobody at home", "送达时无人接收")
    ),
    "offer.paused": Notice(GIVERS, Text("Your offer was paused", "您的供给已暂停")),
    "offer.closed": Notice(GIVERS, Text("Your offer was closed", "您的供给已关闭")),
    "organization.registered": Notice(
        CHARITY, Text("An organization waits to be verified", "有单位待核验")
    ),
    "organization.restored": Notice(
        GIVERS, Text("Your organization may act again", "您的单位已恢复")
    ),
    "application.submitted": Notice(
        TOWNSHIP, Text("Somebody applied for assistance", "有群众提交救助申请")
    ),
    "assessment.override_proposed": Notice(
        ASSISTANCE | TOWNSHIP,
        Text("Another class than the computed one awaits a second person", "认定结果调整待复核"),
    ),
    "household.class_lapsed": Notice(
        ASSISTANCE | TOWNSHIP, Text("A household is due for re-assessment", "家庭需重新核对")
    ),
    "government_aid.decided": Notice(
        FAMILY, Text("Government assistance was decided", "政府救助已作出决定")
    ),
    "need.suspended": Notice(FAMILY | ASSISTANCE, Text("A need was suspended", "需求已中止")),
    "need.overlap_found": Notice(
        ASSISTANCE, Text("The same may be paid twice: please look", "可能重复救助，请核查")
    ),
    "appeal.filed": Notice(ASSISTANCE, Text("A household appealed", "有家庭提出异议申诉")),
    "appeal.upheld": Notice(FAMILY, Text("Your appeal was decided", "您的申诉已有结果")),
    "appeal.dismissed": Notice(FAMILY, Text("Your appeal was decided", "您的申诉已有结果")),
    "integrity_case.restricted": Notice(
        FAMILY | GIVERS, Text("A restriction was imposed", "已作出限制决定")
    ),
    "integrity_case.appealed": Notice(
        CHARITY | ASSISTANCE, Text("A restriction was appealed against", "限制决定被申诉")
    ),
    "integrity_case.seconded": Notice(
        CHARITY | ASSISTANCE, Text("A case waits for a second finding", "诚信事项待第二人认定")
    ),
    "integrity_case.appeal_decided": Notice(
        FAMILY | GIVERS, Text("Your appeal was decided", "您的申诉已有结论")
    ),
    "integrity_case.restriction_lapsed": Notice(
        FAMILY | GIVERS, Text("A restriction has ended", "限制已期满")
    ),
    "integrity_case.closed": Notice(FAMILY | GIVERS, Text("A case was closed", "诚信事项已办结")),
    "integrity_case.dismissed": Notice(
        FAMILY | GIVERS, Text("A case was dismissed", "诚信事项已撤销")
    ),
    "plan.proposed": Notice(CHARITY, Text("A plan is ready for approval", "匹配方案待批准")),
    "plan.failed": Notice(CHARITY, Text("A plan failed", "匹配方案计算失败")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whom an event is about, as far as it matters for who is told."""

    organization_id: int | None = None
    household_id: int | None = None
    region_low: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """An account that may be told."""

    account_id: int
    role: Role
    organization_id: int | None
    household_id: int | None
    region_id: int | None
    region_low: int
    region_high: int


def concerns(notice: Notice, place: Place, reader: Reader) -> bool:
    """Whether an account is told of an event at a place.

    An officer hears nothing of the own household's case, which a colleague handles.
    """
    if reader.role not in notice.to:
        return False
    if reader.role in PROVIDERS:
        return reader.organization_id is not None and (
            reader.organization_id == place.organization_id
        )
    own = reader.household_id is not None and reader.household_id == place.household_id
    if reader.role is Role.APPLICANT:
        return own
    if own or place.region_low is None:
        return False
    return reader.region_low <= place.region_low <= reader.region_high


def said(kind: str, reference: str) -> Text:
    """One notification in a line.

    >>> said("offer.expired", "O-2026-000007").en
    'Your offer has expired: O-2026-000007'
    """
    label = label_of(kind)
    if not reference:
        return label
    return Text(f"{label.en}: {reference}", f"{label.zh}：{reference}")


def label_of(kind: str) -> Text:
    """How a kind is called; one that this version does not tell of any more is named as it is."""
    notice = NOTICES.get(kind)
    return notice.label if notice is not None else Text(kind, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A summary of an inbox; counts by kind, the most frequent first."""

    text: Text
    counts: tuple[tuple[str, int], ...]
    unread: int


def digest(kinds: Iterable[str], *, unread: int, since: str) -> Digest:
    """The summary of notifications of these kinds since a day.

    >>> digest(["offer.expired"] * 2, unread=1, since="2026-11-24").text.en
    'Since 2026-11-24: 2 notifications, 1 unread. Your offer has expired: 2.'
    >>> digest([], unread=0, since="2026-11-24").text.zh
    '自 2026-11-24 以来没有新通知。'
    """
    counts = sorted(Counter(kinds).items(), key=lambda each: (-each[1], each[0]))
    total = sum(count for _, count in counts)
    if total == 0:
        none = Text(f"Since {since}: no notifications.", f"自 {since} 以来没有新通知。")
        return Digest(text=none, counts=(), unread=0)
    listed = [(label_of(kind), count) for kind, count in counts]
    return Digest(
        text=Text(
            f"Since {since}: {total} notification{'s' if total > 1 else ''}, {unread} unread. "
            + "; ".join(f"{label.en}: {count}" for label, count in listed)
            + ".",
            f"自 {since} 以来共 {total} 条通知，其中 {unread} 条未读："
            + "；".join(f"{label.zh} {count} 条" for label, count in listed)
            + "。",
        ),
        counts=tuple(counts),
        unread=unread,
    )


class Readers:
    """Accounts that may be told, found by what they belong to rather than one by one."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        self._of_household: dict[int, list[Reader]] = {}
        self._of_organization: dict[int, list[Reader]] = {}
        self._officers: list[Reader] = []
        for reader in readers:
            if reader.role is Role.APPLICANT and reader.household_id is not None:
                self._of_household.setdefault(reader.household_id, []).append(reader)
            elif reader.role in PROVIDERS and reader.organization_id is not None:
                self._of_organization.setdefault(reader.organization_id, []).append(reader)
            elif reader.role in OFFICERS:
                self._officers.append(reader)

    def of(self, notice: Notice, place: Place, *, actor: int | None) -> list[Reader]:
        """Who is told: all whom it concerns but who did it."""
        near = list(self._officers)
        if place.household_id is not None:
            near += self._of_household.get(place.household_id, ())
        if place.organization_id is not None:
            near += self._of_organization.get(place.organization_id, ())
        return [r for r in near if r.account_id != actor and concerns(notice, place, r)]
