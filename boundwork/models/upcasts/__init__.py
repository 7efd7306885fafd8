"""Schema versions of documents: what brings a stored document of an old version to the one that its model knows."""

from boundwork.models.upcasts.upcast import Upcast

__all__ = ["Upcast"]
