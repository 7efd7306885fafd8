"""References as values and as fields, without a server."""

import copy
import pickle
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID, uuid4

import bson
import pytest
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from boundwork import Document, Embedded, Index, Ref, stored_schema
from boundwork.models.codec import codec_of
from boundwork.models.document import MutableField
from boundwork.models.kinds import class_of
from boundwork.models.mapper import mapper_of
from boundwork.models.soundness import doubtful_fields
from boundwork.models.structure.indexes import declared_indexes

T = TypeVar("T", bound=Document[Any])


class Planet(Document[str], collection="planets"):
    name: str = ""


class Dwarf(Planet):
    icy: bool = True


class Ship(Document, collection="ships"):
    home: Ref[Planet]


class Boat(Document, collection="boats"):
    pass


class Moon(Document[Annotated[str, Field(min_length=3)]], collection="moons"):
    around: Ref["Planet", str]
    next: "Ref[Moon] | None" = None


class Coin(Document[Decimal], collection="coins"):
    pass


class Probe(Document[UUID], collection="probes"):
    coin: Ref[Coin]
    seen: list[Ref[Planet]] = []
    best: tuple[Ref[Planet], int] | None = None
    ranks: dict[str, Ref[Planet]] = {}
    all_seen: set[Ref[Planet]] = set()
    back: "Ref[Later] | None" = None


class Later(Document[int], collection="laters", indexes=[Index("probe"), Index("inside.ship")]):
    probe: Ref[Probe, UUID]
    inside: "list[Inside]" = []


class Inside(Embedded):
    ship: Ref[Ship, ObjectId]


def there_and_back(document: Any) -> Any:
    mapper: Any = mapper_of(class_of(document))
    (stored,) = mapper.decode(encoded(mapper.encode(document)))
    return mapper.load(stored)


def encoded(stored: dict[str, Any]) -> bytes:
    return bson.encode(stored)


def test_references_are_equal_by_collection_and_id() -> None:
    one = Ref(Planet, "mars")
    assert one == Ref.to(Planet(id="mars", name="Mars"))
    assert one == Ref(Dwarf, "mars"), "a subclass in the same collection"
    assert {one, Ref(Planet, "mars"), Ref(Planet, "venus")} == {one, Ref(Planet, "venus")}
    assert one != Ref(Moon, "mars")
    assert one != "mars"
    assert Ref(Later, 1) != Ref(Planet, "1")


def test_a_reference_does_not_change() -> None:
    ref: Any = Ref(Planet, "mars")
    for name in ("id", "model", "_id", "other"):
        with pytest.raises(AttributeError, match="does not change"):
            setattr(ref, name, "venus")
    with pytest.raises(AttributeError, match="does not change"):
        del ref._id
    assert (ref.model, ref.id, repr(ref)) == (Planet, "mars", "Ref(Planet, 'mars')")


def test_a_reference_can_be_copied_and_pickled() -> None:
    ship = Ship(home=Ref(Planet, "mars"))
    assert copy.deepcopy(ship) == ship
    assert copy.copy(ship.home) is ship.home
    assert copy.deepcopy(ship.home) is ship.home
    assert pickle.loads(pickle.dumps(ship)) == ship  # noqa: S301 - our own bytes
    assert ship.model_copy() == ship


def test_an_id_of_another_type_is_refused_at_once() -> None:
    wrong: Any = 5
    for make in (lambda: Ref(Planet, wrong), lambda: Ref(Ship, "x"), lambda: Ref(Planet, Ref(Planet, "mars"))):
        with pytest.raises(TypeError, match=r"A reference to \w+ takes an id of type \w+, and not \w+"):
            make()
    with pytest.raises(TypeError, match="and not NoneType"):
        Ref(Coin, None)
    nothings: list[Any] = [Inside, int, "Planet"]
    for nothing in nothings:
        with pytest.raises(TypeError, match="Ref takes a class of documents"):
            Ref(nothing, "mars")
    nobody: list[Any] = [None, "mars", Planet, Inside.model_construct()]
    for one in nobody:
        with pytest.raises(TypeError, match=r"Ref\.to\(\) takes a document, and was given \w+\. Of an id"):
            Ref.to(one)


def test_an_id_a_reference_and_a_document_are_validated_alike() -> None:
    values: list[Any] = ["mars", Ref(Planet, "mars"), Planet(id="mars"), Dwarf(id="mars"), Ref(Dwarf, "mars")]
    for value in values:
        assert Ship(home=value).home == Ref(Planet, "mars")
        assert Ship(home=value).home.model is Planet
    hexadecimal: Any = "65a000000000000000000001"
    assert Inside(ship=hexadecimal).ship == Ref(Ship, ObjectId(hexadecimal))


def test_what_is_no_id_of_the_model_is_not_valid() -> None:
    values: list[Any] = [5, None, Ref(Ship, ObjectId()), Ship(home=Ref(Planet, "mars")), {"id": "mars"}]
    for value in values:
        with pytest.raises(ValidationError, match="home"):
            Ship(home=value)
    short: Any = "x"
    with pytest.raises(ValidationError, match="at least 3"):
        Moon(id="moon", around=Ref(Planet, "mars"), next=short)


def test_json_and_its_schema_show_the_id() -> None:
    ship = Ship(home=Ref(Planet, "mars"))
    assert ship.model_dump(mode="json") == {"id": str(ship.id), "home": "mars"}
    assert Ship.model_validate_json(ship.model_dump_json()) == ship
    assert ship.model_dump() == {"id": ship.id, "home": Ref(Planet, "mars")}
    assert Ship(**ship.model_dump()) == ship
    for schema in (Ship.model_json_schema(mode="validation"), Ship.model_json_schema(mode="serialization")):
        assert schema["properties"]["home"] == {"title": "Home", "type": "string"}
    probe = Probe(id=uuid4(), coin=Ref(Coin, Decimal("1.5")), seen=[Ref(Planet, "mars")])
    assert Probe.model_validate_json(probe.model_dump_json()) == probe
    assert probe.model_dump(mode="json")["seen"] == ["mars"]


def test_a_strict_model_takes_ids_from_json() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        probe: Ref[Probe]

    strict = Strict(probe=Ref(Probe, uuid4()))
    assert Strict.model_validate_json(strict.model_dump_json()) == strict


def test_a_plain_model_and_an_adapter_take_references_too() -> None:
    class Form(BaseModel):
        ship: Ref[Ship]

    key = ObjectId()
    assert Form.model_validate({"ship": str(key)}).ship == Ref(Ship, key)
    assert TypeAdapter(list[Ref[Planet]]).validate_python(["mars"]) == [Ref(Planet, "mars")]
    bare: Any = Ref
    with pytest.raises(TypeError, match="Ref needs the model"):
        TypeAdapter(bare)


def test_every_place_goes_both_ways_as_bare_ids() -> None:
    probe = Probe(
        id=uuid4(),
        coin=Ref(Coin, Decimal("1.50")),
        seen=[Ref(Planet, "mars"), Ref(Planet, "venus")],
        best=(Ref(Planet, "mars"), 1),
        ranks={"a": Ref(Planet, "mars")},
        all_seen={Ref(Planet, "mars")},
        back=Ref(Later, 7),
    )
    assert there_and_back(probe) == probe
    stored = mapper_of(Probe).encode(probe)
    assert {name: stored[name] for name in ("seen", "best", "ranks", "all_seen", "back")} == {
        "seen": ["mars", "venus"],
        "best": ["mars", 1],
        "ranks": {"a": "mars"},
        "all_seen": ["mars"],
        "back": 7,
    }
    moon = Moon(id="moon", around=Ref(Planet, "mars"), next=Ref(Moon, "other"))
    assert there_and_back(moon) == moon
    later = Later(id=1, probe=Ref(Probe, probe.id), inside=[Inside(ship=Ref(Ship, ObjectId()))])
    assert there_and_back(later) == later


def test_a_validator_and_indexes_are_those_of_the_id() -> None:
    schema = stored_schema(Later, Probe).schema
    assert "binData" in str(schema)
    properties = stored_schema(Moon).schema["properties"]
    assert properties["around"] == {"bsonType": "string"}
    assert properties["next"] == {"bsonType": ["null", "string"], "minLength": 3}
    assert stored_schema(Inside).schema["properties"]["ship"] == {"bsonType": "objectId"}
    assert [index.keys for index in declared_indexes(Later)] == [(("probe", 1),), (("inside.ship", 1),)]


def test_a_reference_is_a_scalar_for_tracking_and_soundness() -> None:
    assert not isinstance(vars(Ship).get("home"), MutableField)
    assert doubtful_fields(codec_of(Ship)) is None
    doubtful = doubtful_fields(codec_of(Later))
    assert doubtful is not None
    inside = Inside(ship=Ref(Ship, ObjectId()))
    later = Later(id=1, probe=Ref(Probe, uuid4()), inside=[inside])
    assert doubtful(later) == ()
    others: list[Any] = [Ref(Planet, "mars"), Ref(Boat, ObjectId()), ObjectId(), None]
    for other in others:
        inside.ship = other
        assert doubtful(later) == ("inside",)


def test_unions_are_taken_where_the_stored_form_tells() -> None:
    class Note(Embedded):
        text: str

    class Holder(Embedded):
        what: Ref[Ship] | Note | str | None = None

    key = ObjectId()
    for value in (Ref(Ship, key), Note(text="x"), "text", None):
        codec = codec_of(Holder)
        holder = Holder(what=value)
        assert Holder.model_validate(codec.decode(codec.encode(holder))) == holder
    with pytest.raises(TypeError, match="both are stored as str"):

        class Unclear(Embedded):  # pyright: ignore[reportUnusedClass]
            what: Ref[Planet] | str


def test_a_class_that_refers_wrongly_is_refused_when_it_is_defined() -> None:
    with pytest.raises(TypeError, match="refers to Planet by ids of type int, but they are of type str"):

        class ByNumber(Embedded):  # pyright: ignore[reportUnusedClass]
            planet: Ref[Planet, int]

    with pytest.raises(TypeError, match="Ref takes a class of documents, and not Inside"):

        class ToEmbedded(Embedded):  # pyright: ignore[reportUnusedClass]
            inside: Ref[Inside]  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]


def test_a_generic_model_refers_to_its_parameter() -> None:
    class Pointer(Embedded, Generic[T]):
        kind: Literal["pointer"] = "pointer"
        to: Ref[T]

    pointer = Pointer[Planet](to=Ref(Planet, "mars"))
    codec = codec_of(Pointer[Planet])
    assert codec.encode(pointer) == {"kind": "pointer", "to": "mars"}
    assert Pointer[Planet].model_validate(codec.decode({"kind": "pointer", "to": "mars"})) == pointer


def test_a_place_in_what_is_referred_to_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"Ship\.home is the id of a Planet, so there is no field 'name' in it"):
        _ = Ship.home.name  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
