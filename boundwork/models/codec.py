"""How one model class is written and read: compiled once, then only called.

Writing goes by a list of (stored name, name, encoder). Reading renames, converts what the validator would not
understand, lets pydantic validate, and then settles the new objects.
"""

import threading
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from boundwork.models.bson_types import NATIVE, CannotStore, Encoder
from boundwork.models.encoders import ASIDE, Carries, compiled_encoder, other_encoder
from boundwork.models.fields import StoredField, literal_tags, stored_fields
from boundwork.models.kinds import is_model
from boundwork.models.readable import check_readable
from boundwork.models.settlers import model_settlers
from boundwork.models.shapes import Decoder, Settler, Shape

_lock = threading.RLock()
_compiling: "dict[type[BaseModel], Codec]" = {}
_codecs: "WeakKeyDictionary[type[BaseModel], Codec]" = WeakKeyDictionary()


def codec_of(model: type[BaseModel]) -> "Codec":
    """Give the codec of a model, compiling it at first use; raise TypeError where the model cannot be stored."""
    found = _codecs.get(model)
    if found is not None:
        return found
    with _lock:
        found = _codecs.get(model) or _compiling.get(model)
        return found if found is not None else _compiled(model)


def _compiled(model: type[BaseModel]) -> "Codec":
    """Compile a model and those it refers to; nobody else sees any of them before all are done."""
    outermost = not _compiling
    try:
        if not model.__pydantic_complete__:
            model.model_rebuild()
        codec = _compiling[model] = Codec(model)
        codec.compile()
        if outermost:
            _codecs.update(_compiling)
        return codec
    finally:
        if outermost:
            _compiling.clear()


class Codec:
    """What is known about storing the instances of one model class."""

    def __init__(self, model: type[BaseModel]) -> None:
        """Stand in for the class while it is compiled, so that models may refer to themselves."""
        self.model = model
        self.has_id = bool(getattr(model, "__boundwork_document__", False))
        self.extra = model.model_config.get("extra") == "allow"
        self.carries = Carries(more=self.extra)
        self.fields: tuple[StoredField, ...] = ()
        self.by_name: dict[str, StoredField] = {}
        self.tags = literal_tags(model)
        self.decode: Decoder = self._decode_later
        self.settle: Settler = self._settle_later
        self.encode: Encoder = self._encode_later
        self.shape = self._shape(whole=False)

    def _encode_later(self, value: Any) -> Any:
        return self.encode(value)

    def _decode_later(self, stored: Any) -> Any:
        return self.decode(stored)

    def _settle_later(self, stored: Any, value: Any) -> None:
        self.settle(stored, value)

    def _shape(self, *, whole: bool, decodes: bool = True, settles: bool = True, steered: bool = True) -> Shape:
        return Shape(
            encode=self.encode,
            decode=self.decode if decodes else None,
            settle=self.settle if settles else None,
            kinds=frozenset({"document"}),
            classes=(self.model,),
            steered=steered,
            mutable=True,
            whole=whole,
            holds=self.model,
        )

    def stored(self, name: str) -> str:
        """Give the stored name of a field."""
        return self.by_name[name].stored

    def compile(self) -> None:
        """Work out the fields and build the three functions."""
        fields = stored_fields(self.model, has_id=self.has_id)
        check_readable(self.model)
        self.fields = tuple(sorted(fields, key=lambda field: field.stored != "_id"))
        self.by_name = {field.name: field for field in self.fields}
        if self.model.__pydantic_root_model__:
            self._compile_root()
            return
        decode = model_decoder(self)
        settlers = model_settlers(self)
        self.encode = compiled_encoder(self.model, self.fields, self.carries)
        self.decode = decode or _unchanged
        self.settle = settlers[0] if settlers else _nothing
        shape = self._shape(
            whole=any(field.whole for field in self.fields),
            decodes=decode is not None,
            settles=settlers is not None,
            steered=False,
        )
        self.shape = replace(shape, settle_each=settlers[1]) if settlers else shape

    def _compile_root(self) -> None:
        shape = self.fields[0].shape
        root_encode, root_settle = shape.encode, shape.settle
        model, encode_other = self.model, other_encoder(self.model)

        def encode(value: Any) -> Any:
            if type(value) is not model:
                return encode_other(value)
            root = value.__dict__["root"]
            try:
                return root if type(root) in NATIVE else root_encode(root)
            except CannotStore as error:
                raise error.of(value) from None

        def settle(stored: Any, value: Any) -> None:
            if root_settle is not None and is_model(value):
                root_settle(stored, value.__dict__["root"])

        self.encode, self.settle, self.decode = encode, settle, shape.decode or _unchanged
        self.shape = replace(
            shape,
            encode=encode,
            settle=settle if root_settle else None,
            classes=(self.model,),
            converted=True,
            mutable=True,
            holds=None,
        )


def _unchanged(stored: Any) -> Any:
    return stored


def _nothing(_stored: Any, _value: Any) -> None:
    return


def model_decoder(codec: Codec) -> Decoder | None:
    """Build the function that turns a stored document into what the validator takes; it may change the dict."""
    readers = [(field.stored, field.shape.decode) for field in codec.fields if field.shape.decode is not None]
    renames = {field.stored: field.accepted for field in codec.fields if field.stored != field.accepted}
    if not readers and not renames:
        return None
    rename = _renamer(codec, renames)

    def decode(stored: Any) -> Any:
        if stored.__class__ is not dict:
            return stored
        for key, read in readers:
            value = stored.get(key)
            if value is not None:
                stored[key] = read(value)
        return rename(stored)

    return decode


def _renamer(codec: Codec, renames: dict[str, str]) -> Decoder:
    if not renames:
        return _unchanged
    if renames == {"_id": "id"}:
        return _rename_id
    stored_names = {field.stored for field in codec.fields}
    claimed = {field.accepted for field in codec.fields} - stored_names

    def rename(stored: Any) -> Any:
        return {renames.get(key, ASIDE + key if key in claimed else key): value for key, value in stored.items()}

    return rename


def _rename_id(stored: Any) -> Any:
    if "id" in stored:
        stored[ASIDE + "id"] = stored.pop("id")
    if "_id" in stored:
        stored["id"] = stored.pop("_id")
    return stored
