"""States, and why offers wait, in Chinese: a word each, for refusals and the graph's own texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

# By the enum's name, not by the enum: the states belong to wings that import this.
WORDS: Mapping[str, Mapping[str, str]] = {
    "AgreementStatus": {
        "SIGNED": "已签订",
        "ENDED": "已终止",
    },
    "AllocationStatus": {
        "RESERVED": "已预留",
        "ACCEPTED": "已接受",
        "DISPATCHED": "已发出",
        "DELIVERED": "已送达",
        "CONFIRMED": "已确认",
        "DISPUTED": "有异议",
        "DECLINED": "已谢绝",
        "CANCELLED": "已取消",
    },
    "AppealStatus": {
        "OPEN": "待审定",
        "UPHELD": "支持",
        "DISMISSED": "驳回",
    },
    "ApplicationStatus": {
        "SUBMITTED": "待处理",
        "REGISTERED": "已登记",
        "REJECTED": "不予受理",
    },
    "CampaignStatus": {
        "DRAFT": "草稿",
        "OPEN": "募捐中",
        "CLOSED": "已结束",
    },
    "CaseStatus": {
        "OPEN": "已立案",
        "FOUND": "已认定",
        "RESTRICTED": "已限制",
        "APPEALED": "申诉中",
        "RECOVERED": "已追回",
        "CLOSED": "已办结",
        "DISMISSED": "已撤销",
    },
    "ConsentStatus": {
        "GIVEN": "有效",
        "WITHDRAWN": "已撤回",
        "LAPSED": "已到期",
    },
    "DonationStatus": {
        "RECEIVED": "已收到",
        "REFUNDED": "已退回",
    },
    "DraftStatus": {
        "PREPARED": "待发",
        "SENT": "已发送",
        "DISCARDED": "已弃用",
    },
    "DuplicateStatus": {
        "OPEN": "待核查",
        "DISMISSED": "非重复",
        "MERGED": "已合并",
    },
    "FeedbackStatus": {
        "OPEN": "待答复",
        "ANSWERED": "已答复",
        "CLOSED": "已办结",
    },
    "HelpedListStatus": {
        "REPORTED": "已上报",
        "RECEIVED": "已接收",
    },
    "HouseholdStatus": {
        "ACTIVE": "有效",
        "MERGED": "已合并",
        "CLOSED": "已销户",
    },
    "MessageStatus": {
        "QUEUED": "待发送",
        "SENT": "已发送",
        "FAILED": "发送失败",
    },
    "ModerationReason": {
        "NO_AGREEMENT": "无生效协议",
        "CATEGORY": "类别超出范围",
        "REGION": "区域超出范围",
        "OFFER_MAX": "单项超额",
        "TOTAL_MAX": "累计超额",
        "UNITS_MAX": "数量超额",
    },
    "NeedStatus": {
        "DRAFT": "草稿",
        "REFERRED": "已转介",
        "RETURNED": "已退回",
        "REJECTED": "已否决",
        "PUBLISHED": "已发布",
        "FULFILLED": "已满足",
        "CLOSED": "已办结",
        "WITHDRAWN": "已撤回",
        "EXPIRED": "已过期",
        "SUSPENDED": "已中止",
    },
    "OfferDraftStatus": {
        "DRAFT": "草稿",
        "PUBLISHED": "已发布",
        "DISCARDED": "已弃用",
    },
    "OfferStatus": {
        "DRAFT": "草稿",
        "OPEN": "开放",
        "PAUSED": "暂停",
        "CLOSED": "已关闭",
        "EXPIRED": "已过期",
    },
    "OrganizationStatus": {
        "APPLIED": "待核验",
        "VERIFIED": "已核验",
        "SUSPENDED": "已暂停",
        "REJECTED": "未通过",
    },
    "OverrideStatus": {
        "PENDING": "待审定",
        "APPROVED": "已审定",
        "REJECTED": "未通过",
    },
    "PlanLineStatus": {
        "PROPOSED": "待审批",
        "RESERVED": "已预留",
        "LEFT_OUT": "未预留",
    },
    "PlanStatus": {
        "QUEUED": "排队中",
        "RUNNING": "计算中",
        "PROPOSED": "待审批",
        "APPROVED": "已批准",
        "DISCARDED": "已弃用",
        "CANCELLED": "已取消",
        "FAILED": "已失败",
    },
    "ResultStatus": {
        "SENT": "已反馈",
        "ACKNOWLEDGED": "已签收",
    },
    "WebhookDeliveryStatus": {
        "QUEUED": "待投递",
        "SENT": "已投递",
        "DEAD": "投递失败",
    },
    "WebhookStatus": {
        "ENABLED": "启用",
        "DISABLED": "停用",
    },
}


def in_chinese(state: StrEnum) -> str:
    """A state within a Chinese sentence, with the code that programs and their people look for.

    >>> from marketplace.domain.exchange.offers import OfferStatus
    >>> in_chinese(OfferStatus.PAUSED)
    '“暂停”（PAUSED）'
    """
    return f"“{WORDS[type(state).__name__][state]}”（{state}）"


def any_in_chinese(states: Iterable[StrEnum]) -> str:
    """Several states, of which any will do."""
    return "或".join(in_chinese(state) for state in sorted(states))
