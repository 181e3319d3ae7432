"""Expected refusals, said in English and Chinese. Anything else that is raised is a bug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

Language = Literal["en", "zh-CN"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the house.

    >>> Text("Nothing is left.", "已无剩余。").said_in("zh-CN")
    '已无剩余。'
    """

    en: str
    zh: str

    def said_in(self, language: Language) -> str:
        return self.zh if language == "zh-CN" else self.en


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request, and where: a path such as ("input", "quantity")."""

    field: tuple[str, ...]
    code: str
    text: Text


class DomainError(Exception):
    """The request was understood and refused; it carries every fault that was found."""

    code: ClassVar[str] = "REFUSED"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.text.en for fault in faults) or type(self).__doc__)
        self.faults = faults

    @classmethod
    def of(cls, field: str | tuple[str, ...], en: str, zh: str, *, code: str | None = None) -> Self:
        """A refusal with one fault; a dotted `field` is a path."""
        path = tuple(field.split(".")) if isinstance(field, str) else field
        if path == ("",):
            path = ()
        return cls(Fault(path, code or cls.code, Text(en, zh)))


class InvalidInput(DomainError):
    """A value is outside what can be accepted. Codes: REQUIRED, TOO_SMALL, TOO_LARGE, INVALID, …"""

    code = "INVALID"


class Conflict(DomainError):
    """The thing is not in a state that allows this move, or was changed by someone else first."""

    code = "CONFLICT"


class QuantityExceeded(Conflict):
    """More was asked for than is left."""

    code = "QUANTITY_EXCEEDED"


class IdempotencyKeyReused(Conflict):
    """The same idempotency key came with another input."""

    code = "IDEMPOTENCY_KEY_REUSED"


class TopLevelError(Exception):
    """A refusal of the whole operation: reported in `errors`, never as `userErrors`."""

    code: ClassVar[str] = "INTERNAL"
    text: ClassVar[Text]

    def __init__(self, text: Text | None = None) -> None:
        self.said = text or type(self).text
        super().__init__(self.said.en)


class Unauthenticated(TopLevelError):
    """Nobody is signed in, or the key is unknown, expired or revoked."""

    code = "UNAUTHENTICATED"
    text = Text(
        "Sign in first: send a valid key as 'Authorization: Bearer KEY'.",
        "请先登录：在请求头中提供有效的密钥（Authorization: Bearer KEY）。",
    )


class RateLimited(TopLevelError):
    """Too many tries; `wait_s` is how long to wait."""

    code = "RATE_LIMITED"
    text = Text("Too many tries. Try again later.", "操作过于频繁，请稍后再试。")

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            Text(
                f"Too many tries. Try again in {wait_s} seconds.",
                f"操作过于频繁，请在 {wait_s} 秒后重试。",
            )
        )
        self.wait_s = wait_s


class Forbidden(TopLevelError):
    """The viewer's role or scope does not allow this."""

    code = "FORBIDDEN"
    text = Text(
        "Your role or scope does not allow this. Ask the administrator if you need it.",
        "您的角色或管辖范围不允许此操作。如确有需要，请联系管理员。",
    )


class NotFound(TopLevelError):
    """There is no such thing, or the viewer may not know of it."""

    code = "NOT_FOUND"
    text = Text("There is no such entry that you may see.", "没有您可以查看的此项记录。")


class InvalidId(TopLevelError):
    """An id that this system never gave out, or of another type than asked for."""

    code = "INVALID_ID"
    text = Text(
        "This is not a valid id here. Use an id as you received it.",
        "编号无效，请使用系统返回的编号。",
    )

    def __init__(self, given: str | None = None) -> None:
        super().__init__()
        self.given = given  # by which the input's field is found; never said again


class PositionTooOld(TopLevelError):
    """A feed is asked to go on from further back than it keeps in reach."""

    code = "POSITION_TOO_OLD"
    text = Text(
        "This position lies too far back to go on from. Begin anew without a position, and read "
        "the list once.",
        "该位置过早，无法从此处继续。请不带位置重新订阅，并重新读取一次列表。",
    )


class InvalidCursor(TopLevelError):
    """A cursor that this connection, in this order, never gave out."""

    code = "INVALID_CURSOR"
    text = Text(
        "This cursor does not belong to this list in this order. Start again without a cursor.",
        "游标与当前列表或排序不符，请不带游标重新查询。",
    )
