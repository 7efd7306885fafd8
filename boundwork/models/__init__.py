"""Documents: pydantic models, their stored form, and what changed in them."""

from boundwork.models.document import Document, Embedded
from boundwork.models.markers import StorePlain

__all__ = ["Document", "Embedded", "StorePlain"]
