"""Whether a name that the program wrote as text is one that a model stores.

Stored names belong to any model as far as the server is concerned: a misspelt one finds nothing and says nothing. So
the part before the first dot must be a field of the model or of one of its subclasses, unless the model allows extras.
"""

import difflib

from pydantic import BaseModel

from boundwork.models.codec import codec_of
from boundwork.models.fields import ID


def check_stored_name(model: type[BaseModel], name: str, where: str, advice: str) -> None:
    """Raise ValueError, naming the nearest name, unless documents of the model have a field stored so."""
    own = codec_of(model).by_name.get(name)
    if name == ID or (own is not None and own.stored == name) or any(_stores(part, name) for part in family_of(model)):
        return
    known = sorted({field.stored for part in family_of(model) for field in codec_of(part).fields})
    nearest = [own.stored] if own is not None else difflib.get_close_matches(name, known, n=1)
    guess = f"Did you mean {nearest[0]!r}?" if nearest else f"It stores: {', '.join(known)}."
    text = f"{where} names {name!r}, and {model.__name__} stores no such field. {guess} {advice}"
    raise ValueError(text)


def _stores(model: type[BaseModel], name: str) -> bool:
    codec = codec_of(model)
    return codec.extra or any(field.stored == name for field in codec.fields)


def family_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and all its subclasses: documents of a collection may be any of them."""
    return [model, *(found for inner in model.__subclasses__() for found in family_of(inner))]
