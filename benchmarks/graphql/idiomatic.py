"""The same schema as its users would write it: ORM entities, a DataLoader for every relation.

It is given every ordinary advantage: parser and validation caches, one session for each batch, and
no check of who may see what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import strawberry
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, aliased
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from marketplace.domain.ids import opaque_id, reference
from marketplace.persistence.tables import exchange, registry
from schema.scalars import SCALARS, BigInt, Quantity


class Entity(DeclarativeBase):
    metadata = registry.regions.metadata


class RegionRow(Entity):
    __table__ = registry.regions


class CategoryRow(Entity):
    __table__ = registry.categories


class OrganizationRow(Entity):
    __table__ = registry.organizations


class NeedRow(Entity):
    __table__ = exchange.needs


class OfferRow(Entity):
    __table__ = exchange.offers


class AllocationRow(Entity):
    __table__ = exchange.allocations


class Loaders:
    """The DataLoaders of one request."""

    def __init__(self, session: async_sessionmaker[Any]) -> None:
        self.session = session
        self.region = self._by_id(RegionRow)
        self.category = self._by_id(CategoryRow)
        self.organization = self._by_id(OrganizationRow)
        self.offer = self._by_id(OfferRow)
        self.need = self._by_id(NeedRow)
        self.allocations: DataLoader[tuple[int, int], list[Any]] = DataLoader(self._allocations)

    def _by_id(self, entity: type[Any]) -> DataLoader[int, Any]:
        async def load(keys: list[int]) -> Sequence[Any]:
            async with self.session() as session:
                found = await session.scalars(sa.select(entity).where(entity.id.in_(keys)))
                by_id = {row.id: row for row in found}
            return [by_id.get(key) for key in keys]

        return DataLoader(load)

    async def _allocations(self, keys: list[tuple[int, int]]) -> list[list[Any]]:
        """The newest allocations of many needs, by a window function."""
        first = keys[0][1]
        place = (
            sa.func.row_number()
            .over(
                partition_by=AllocationRow.need_id,
                order_by=(AllocationRow.created_at.desc(), AllocationRow.id.desc()),
            )
            .label("place")
        )
        ranked = (
            sa.select(AllocationRow, place)
            .where(AllocationRow.need_id.in_([need for need, _ in keys]))
            .subquery()
        )
        entity = aliased(AllocationRow, ranked)
        grouped: dict[int, list[Any]] = defaultdict(list)
        async with self.session() as session:
            statement = sa.select(entity).where(ranked.c.place <= first)
            statement = statement.order_by(ranked.c.need_id, ranked.c.place)
            for row in await session.scalars(statement):
                grouped[row.need_id].append(row)
        return [grouped[need] for need, _ in keys]


Info = strawberry.Info[Loaders, None]


def _id(kind: str, key: int) -> strawberry.ID:
    return strawberry.ID(opaque_id(kind, key))


@strawberry.type
class Region:
    id: strawberry.ID
    name: str


@strawberry.type
class Category:
    id: strawberry.ID
    code: str


@strawberry.type
class Organization:
    id: strawberry.ID
    name: str


@strawberry.type
class Offer:
    row: strawberry.Private[Any]
    id: strawberry.ID
    title: str

    @strawberry.field
    async def organization(self, info: Info) -> Organization | None:
        row = await info.context.organization.load(self.row.organization_id)
        return Organization(id=_id("Organization", row.id), name=row.name)


@strawberry.type
class Allocation:
    row: strawberry.Private[Any]
    id: strawberry.ID
    status: str
    created_at: datetime

    @strawberry.field
    async def served(self, info: Info) -> Quantity:
        need = await info.context.need.load(self.row.need_id)
        category = await info.context.category.load(need.category_id)
        return Quantity(value=BigInt(self.row.units_served), unit=category.unit)

    @strawberry.field
    async def offer(self, info: Info) -> Offer | None:
        row = await info.context.offer.load(self.row.offer_id)
        return Offer(row=row, id=_id("Offer", row.id), title=row.title)


@strawberry.type
class AllocationConnection:
    nodes: list[Allocation]


@strawberry.type
class Need:
    row: strawberry.Private[Any]
    id: strawberry.ID
    reference: str
    status: str
    severity: int
    created_at: datetime

    @strawberry.field
    async def region(self, info: Info) -> Region | None:
        row = await info.context.region.load(self.row.region_id)
        return Region(id=_id("Region", row.id), name=row.name_zh)

    @strawberry.field
    async def category(self, info: Info) -> Category | None:
        row = await info.context.category.load(self.row.category_id)
        return Category(id=_id("Category", row.id), code=row.code)

    @strawberry.field
    async def allocations(self, info: Info, first: int) -> AllocationConnection:
        rows = await info.context.allocations.load((self.row.id, first))
        return AllocationConnection(
            nodes=[
                Allocation(
                    row=row,
                    id=_id("Allocation", row.id),
                    status=row.status,
                    created_at=row.created_at,
                )
                for row in rows
            ]
        )


@strawberry.type
class NeedConnection:
    nodes: list[Need]


@strawberry.type
class Query:
    @strawberry.field
    async def needs(self, info: Info, first: int) -> NeedConnection:
        newest = (NeedRow.created_at.desc(), NeedRow.id.desc())
        async with info.context.session() as session:
            rows = list(await session.scalars(sa.select(NeedRow).order_by(*newest).limit(first)))
        return NeedConnection(
            nodes=[
                Need(
                    row=row,
                    id=_id("Need", row.id),
                    reference=reference("N", row.created_at.year, row.id),
                    status=row.status,
                    severity=row.severity,
                    created_at=row.created_at,
                )
                for row in rows
            ]
        )


def schema() -> strawberry.Schema:
    return strawberry.Schema(
        Query,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[ParserCache, ValidationCache],
    )


@dataclass(frozen=True, slots=True)
class Session:
    """An engine, and what makes the loaders of a request on it."""

    engine: AsyncEngine
    loaders: Callable[[], Loaders]


def on(url: str) -> Session:
    engine = create_async_engine(url, pool_size=8, max_overflow=4)
    maker = async_sessionmaker(engine, expire_on_commit=False)
    return Session(engine, lambda: Loaders(maker))


class _View(GraphQL[Loaders, None]):
    loaders: Callable[[], Loaders]

    async def get_context(self, request: Any, response: Any) -> Loaders:
        return self.loaders()


def create_app(url: str) -> Starlette:
    session = on(url)
    view = _View(schema(), graphql_ide=None)
    view.loaders = session.loaders

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await session.engine.dispose()

    async def healthz(_request: Request) -> Response:
        return Response("ok")

    return Starlette(
        lifespan=lifespan,
        routes=[Route("/graphql", view, methods=["POST"]), Route("/healthz", healthz)],
    )
