"""Limits on a document, checked before anything expensive looks at it, and kept per document."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    ValueNode,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from marketplace.domain.errors import Language, Text
from marketplace.settings import Settings
from schema.budget import Budget
from schema.context import Context
from schema.cost import cost_of

INPUT_DEPTH_MAX = 24  # filters are the deepest; each level becomes SQL inside SQL
DOCUMENTS_KEPT = 256  # the largest allowed document takes well under a megabyte
MAX_DEPTH = "MAX_DEPTH_EXCEEDED"
MAX_INPUT_DEPTH = "MAX_INPUT_DEPTH_EXCEEDED"
MAX_ALIASES = "MAX_ALIASES_EXCEEDED"
MAX_DIRECTIVES = "MAX_DIRECTIVES_EXCEEDED"
MAX_COST = "MAX_COST_EXCEEDED"
RATE_LIMITED = "RATE_LIMITED"

TEXTS = {
    MAX_DEPTH: Text(
        "Fields are nested {found} deep; at most {limit} are allowed.",
        "查询嵌套 {found} 层，最多允许 {limit} 层。",
    ),
    MAX_INPUT_DEPTH: Text(
        "An argument is nested {found} deep; at most {limit} are allowed.",
        "参数嵌套 {found} 层，最多允许 {limit} 层。",
    ),
    MAX_ALIASES: Text(
        "The document has {found} aliases and repeated fields; at most {limit} are allowed.",
        "查询使用了 {found} 个别名或重复字段，最多允许 {limit} 个。",
    ),
    MAX_DIRECTIVES: Text(
        "The document has {found} directives; at most {limit} are allowed.",
        "查询使用了 {found} 个指令，最多允许 {limit} 个。",
    ),
    MAX_COST: Text(
        "This operation may cost {found} points; at most {limit} are allowed. "
        "Ask for smaller pages (first, last) or for fewer nested lists.",
        "此操作预计消耗 {found} 点，最多允许 {limit} 点。请减小分页（first、last）或减少嵌套列表。",
    ),
}


SPENT = Text(
    "You have asked for very much in a short time. Try again in {} seconds.",
    "您的请求过于频繁，请在 {} 秒后重试。",
)


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that an operation breaks."""

    code: str
    found: int
    limit: int

    def error(self, language: Language) -> GraphQLError:
        message = TEXTS[self.code].said_in(language).format(found=self.found, limit=self.limit)
        return GraphQLError(message, extensions={"code": self.code})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about a document, the same for everyone who sends it."""

    excess: Excess | None
    errors: tuple[GraphQLError, ...] = ()


class Gate:
    """Parses and judges documents, and remembers those that come again."""

    schema: GraphQLSchema  # set once it is built; it is built with this gate in it

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.budget = Budget(settings.budget_points, settings.budget_points_per_s)
        self.parsed = lru_cache(DOCUMENTS_KEPT)(self._parse)
        self.judged = lru_cache(DOCUMENTS_KEPT)(self._judge)

    def _parse(self, text: str) -> DocumentNode:
        return parse(text, max_tokens=self.settings.query_tokens_max)

    def _judge(self, document: DocumentNode) -> Verdict:
        excess = excess_of(document, self.settings)
        if excess is not None:
            return Verdict(excess)
        return Verdict(
            None, tuple(validate_document(self.schema, document, tuple(specified_rules)))
        )


class Checks(SchemaExtension):
    """Parses, limits and validates each operation through the gate, and tells its cost."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate
        self.cost = 0
        self.left: int | None = None  # of the caller's budget; none was charged yet

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        try:
            execution.graphql_document = self.gate.parsed(execution.query or "")
        except (GraphQLError, RecursionError):
            # Strawberry parses again, fails again, and reports it as every transport expects.
            execution.parse_options["max_tokens"] = self.gate.settings.query_tokens_max
        yield

    def on_validate(self) -> Iterator[None]:
        execution = self.execution_context
        context, document = execution.context, execution.graphql_document
        assert isinstance(context, Context)
        assert document is not None
        verdict = self.gate.judged(document)
        variables = execution.variables or {}
        excess = verdict.excess or excess_of_variables(variables)
        if excess is not None:
            errors = [excess.error(context.language)]
        elif verdict.errors:
            errors = list(verdict.errors)
        else:
            name = execution.operation_name
            self.cost = cost_of(self.gate.schema, document, name, variables)
            errors = self._charged(context)
        execution.pre_execution_errors = errors
        yield

    def _charged(self, context: Context) -> list[GraphQLError]:
        """Nothing where the operation may run, and is paid for."""
        limit = self.gate.settings.query_cost_max
        if self.cost > limit:
            return [Excess(MAX_COST, self.cost, limit).error(context.language)]
        purse = self.gate.budget.charge(context.caller, self.cost)
        self.left = purse.left
        if not purse.wait_s:
            return []
        wait_s = math.ceil(purse.wait_s)
        message = SPENT.said_in(context.language).format(wait_s)
        extensions = {"code": RATE_LIMITED, "retryAfterSeconds": wait_s}
        return [GraphQLError(message, extensions=extensions)]

    def get_results(self) -> dict[str, object]:
        cost: dict[str, object] = {
            "requested": self.cost,
            "max": self.gate.settings.query_cost_max,
        }
        if self.left is not None:
            budget = self.gate.budget
            cost["budget"] = {
                "remaining": self.left,
                "max": budget.points,
                "restoredPerSecond": budget.per_s,
            }
        return {"cost": cost}


def excess_of(document: DocumentNode, settings: Settings) -> Excess | None:
    """The first limit that a document breaks: directives, aliases, depth, or depth of arguments.

    Each fragment is looked at once however often it is spread, so the time is linear in tokens.
    """
    size = _Size(document)
    for code, found, limit in (
        (MAX_DIRECTIVES, size.directives, settings.query_directives_max),
        (MAX_ALIASES, size.aliases, settings.query_aliases_max),
        (MAX_DEPTH, size.depth, settings.query_depth_max),
        (MAX_INPUT_DEPTH, size.input_depth, INPUT_DEPTH_MAX),
    ):
        if found > limit:
            return Excess(code, found, limit)
    return None


def excess_of_variables(variables: Mapping[str, object]) -> Excess | None:
    """Whether a variable's value is nested deeper than any input needs to be."""
    level: list[object] = list(variables.values())
    depth = 0
    while level:
        inner = [v for v in level if isinstance(v, dict | list)]
        level = [item for v in inner for item in (v.values() if isinstance(v, dict) else v)]
        depth += bool(inner)
    return Excess(MAX_INPUT_DEPTH, depth, INPUT_DEPTH_MAX) if depth > INPUT_DEPTH_MAX else None


class _Size:
    """Counts of one document: aliases and directives as written, depth with fragments inside."""

    def __init__(self, document: DocumentNode) -> None:
        self.aliases = 0
        self.directives = 0
        self.input_depth = 0
        definitions = document.definitions
        self._fragments = {
            d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._spreads: dict[str, int] = {}  # depth of each fragment; 0 while it is looked at
        operations = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
        for operation in operations:
            self.directives += len(operation.directives or ())
            for variable in operation.variable_definitions or ():
                self.directives += len(variable.directives or ())
                if variable.default_value:
                    self._input(variable.default_value)
        self.depth = max((self._of(o.selection_set.selections) for o in operations), default=0)
        for name in self._fragments:
            self._fragment(name)  # those that no operation spreads count, too

    def _of(self, selections: tuple[SelectionNode, ...]) -> int:
        # A field said twice is merged, which takes the square of how often it is said.
        plain = [s.name.value for s in selections if isinstance(s, FieldNode) and not s.alias]
        self.aliases += len(plain) - len(set(plain))
        return max((self._selection(s) for s in selections), default=0)

    def _selection(self, node: SelectionNode) -> int:
        self.directives += len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        below = getattr(node, "selection_set", None)
        name = getattr(node, "name", None)
        if name is None:  # an inline fragment is no level of its own
            return self._of(below.selections) if below else 0
        self.aliases += getattr(node, "alias", None) is not None
        for argument in getattr(node, "arguments", None) or ():
            self._input(argument.value)
        if name.value.startswith("__"):
            return 1  # graphql-core bounds introspection by a rule of its own
        return 1 + (self._of(below.selections) if below else 0)

    def _fragment(self, name: str) -> int:
        if name not in self._spreads and name in self._fragments:
            fragment = self._fragments[name]
            self._spreads[name] = 0
            self.directives += len(fragment.directives or ())
            self._spreads[name] = self._of(fragment.selection_set.selections)
        return self._spreads.get(name, 0)

    def _input(self, value: ValueNode) -> None:
        level = [value]
        depth = 0
        while level:
            inner = [v for v in level if isinstance(v, ListValueNode | ObjectValueNode)]
            level = [
                item
                for v in inner
                for item in (
                    v.values if isinstance(v, ListValueNode) else [f.value for f in v.fields]
                )
            ]
            depth += bool(inner)
        self.input_depth = max(self.input_depth, depth)
