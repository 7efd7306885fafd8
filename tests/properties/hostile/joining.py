"""The ways of a value into a unit by copies, by references, and as a tenant."""

from datetime import datetime
from typing import Any

from boundwork import Document, Ref, Repository, UnitOfWork, any_of, in_, set_
from tests.properties.hostile.ways import PATHS, Order, Shop, Thing, Way, _seeded


class Draft(Document[Any], collection="drafts", versioned=True):
    payload: Any = None


class Pointing(Document[int], collection="pointings"):
    one: Ref[Thing] | None = None
    more: list[Ref[Thing]] = []


class Estate(Shop):
    drafts = Repository(Draft)
    pointings = Repository(Pointing)


class Owned(Document[int], collection="owned", tenant_field="owner", soft_delete="removed_at"):
    owner: str = ""
    payload: Any = None
    removed_at: datetime | None = None


class Numbered(Document[int], collection="numbered", tenant_field="owner"):
    owner: Any = None
    payload: Any = None


class Tenants(UnitOfWork):
    owned = Repository(Owned)
    numbered = Repository(Numbered)


PATHS.update(
    {
        "drafts": {"_id", "payload", "version"},
        "pointings": {"_id", "one", "more"},
        "owned": {"_id", "owner", "payload", "removed_at"},
        "numbered": {"_id", "owner", "payload"},
    }
)


def _merge(uow: Any, value: Any) -> None:
    uow.add(Thing(id="seed", payload={"a": [1, {"b": 2}]}))
    uow.flush()
    uow.things.merge(Thing(id="seed", payload=value))
    uow.flush()
    uow.things.merge(Thing(id="seed", payload={"a": [1, value], "b": value}))
    uow.flush()


def _merge_an_order(uow: Any, value: Any) -> None:
    _seeded(uow)
    uow.orders.merge(Order(id="seed", extra=value, meta={"key": value, "b": {"c": value}}))
    uow.flush()


def _merge_one_that_is_not_there(uow: Any, value: Any) -> None:
    uow.things.merge(Thing(id=value, payload=value), missing="add")
    uow.flush()


def _merge_a_version(uow: Any, value: Any) -> None:
    draft = uow.add(Draft(id="seed"))
    uow.flush()
    uow.drafts.merge(Draft.model_construct(id="seed", version=value, payload=value))
    uow.flush()
    draft.payload = 1
    uow.flush()


def _include(uow: Any, value: Any) -> None:
    reference = Ref(Thing, value)
    uow.add(Pointing(id=1, one=reference, more=[reference, reference]))
    uow.flush()
    uow.pointings.find().include(Pointing.one, any_of(Pointing.more), missing="none").to_list()


JOINING: list[Way] = [
    _merge,
    _merge_an_order,
    _merge_one_that_is_not_there,
    _merge_a_version,
    _include,
    lambda uow, value: uow.load(Ref(Thing, value)),
    lambda uow, value: uow.load_all([Ref(Thing, value), Ref(Thing, [value])], missing="none"),
    lambda uow, value: uow.loaded(Ref(Thing, value)),
    lambda uow, value: uow.pointings.find(Pointing.one == value).to_list(),
    lambda uow, value: uow.pointings.find(Pointing.one != Ref(Thing, value)).to_list(),
    lambda uow, value: uow.pointings.find(in_(any_of(Pointing.more).id, [value])).to_list(),
    lambda uow, value: uow.pointings.update_where(Pointing.one == value, set_(Pointing.one, value)),
]


def _inside(work: Way) -> Way:
    """Take a way in a unit of the tenant that the value is."""

    def way(uow: Any, value: Any) -> None:
        with uow.for_tenant(value).independent() as other:
            work(other, value)
            other.rollback()

    return way


def _write(uow: Any, value: Any) -> None:
    for model in (Owned, Numbered):
        owned = uow.add(model(id=1, payload=value))
        uow.flush()
        owned.payload = [value]
        uow.flush()
        uow.remove(owned)
        uow.flush()


TENANTS: list[Way] = [
    _inside(lambda uow, value: uow.owned.find(Owned.payload == value).to_list()),
    _inside(lambda uow, value: uow.numbered.find(Numbered.payload != value, Numbered.owner == value).count()),
    _inside(lambda uow, _: uow.numbered.get_many([1, 2])),
    _inside(lambda uow, _: uow.numbered.find().distinct(Numbered.payload)),
    _inside(_write),
    _inside(lambda uow, value: uow.owned.update_where(Owned.payload == value, set_(Owned.payload, value))),
    _inside(lambda uow, value: uow.numbered.delete_where(Numbered.payload == value)),
    _inside(lambda uow, value: uow.owned.delete_where(Owned.payload == value)),
    _inside(lambda uow, value: uow.numbered.find_and_update(Numbered.id == 1, set_(Numbered.payload, value))),
    _inside(
        lambda uow, value: uow.numbered.upsert(
            Numbered.id == 1, set_(Numbered.payload, value), on_insert=Numbered(id=1, owner=value)
        )
    ),
    _inside(lambda uow, value: uow.lock(str(value)[:20])),
    lambda uow, value: uow.owned.find(Owned.owner == value).to_list(),
    lambda uow, value: uow.add(Numbered(id=1, owner=value)) and uow.flush(),
]
