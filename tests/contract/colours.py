"""One way to write a test for both colours: everything that one colour awaits is awaited.

`Blue` wraps the synchronous words so that they can be awaited; the asynchronous ones are used as they are.
"""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, Query, Repository, Stream, UnitOfWork

HOOKS = {"before_commit", "on_commit", "on_rollback"}
PLAIN = {
    "add",
    "add_all",
    "remove",
    "restore",
    "erase",
    "for_tenant",
    "for_all_tenants",
    "all_tenants",
    "including_removed",
    "find",
    "sort",
    "skip",
    "limit",
    "hint",
    "collation",
    "comment",
    "max_time",
    "project",
    "include",
    "loaded",
    "stream",
    "receipt",
    "core",
    "database",
    "attempts",
    *HOOKS,
}


class Blue:
    """A synchronous object whose words can be awaited."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if isinstance(value, Repository):
            return Blue(value)
        if not callable(value):
            return value
        if name == "run":
            return self._run
        if name in PLAIN:

            def plainly(*args: Any, **keywords: Any) -> Any:
                return _wrapped(value(*args, **keywords))

            return plainly

        async def later(*args: Any, **keywords: Any) -> Any:
            return value(*args, **keywords)

        return later

    async def _run(self, body: Any, *args: Any) -> Any:
        def stepped(uow: Any, *inner: Any) -> Any:
            coroutine = body(Blue(uow), *inner)
            try:
                coroutine.send(None)
            except StopIteration as done:
                return done.value
            raise RuntimeError("the body suspended")

        return self._inner.run(stepped, *args)

    async def __aenter__(self) -> "Blue":
        return Blue(self._inner.__enter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return self._inner.__exit__(kind, error, trace)

    def unit(self, **keywords: Any) -> AbstractAsyncContextManager[Any]:
        return Blue(self._inner.unit(**keywords))

    def independent(self) -> AbstractAsyncContextManager[Any]:
        return Blue(self._inner.independent())

    def outside(self) -> AbstractAsyncContextManager[Any]:
        return Blue(self._inner.outside())

    async def __aiter__(self) -> Any:
        for document in self._inner:
            yield document


def _wrapped(value: Any) -> Any:
    if isinstance(value, Query | Stream | UnitOfWork):
        return Blue(value)
    if hasattr(value, "__next__"):
        return map(Blue, value)
    return value


def define(colour: str, database: Any, options: dict[str, Any] | None = None, **models: type[Document[Any]]) -> Any:
    """Return a definition of a colour with one repository a model."""
    if colour == "sync":
        names: dict[str, Any] = {name: Repository(model) for name, model in models.items()}
        return Blue(type("Shop", (UnitOfWork,), names)(database, **(options or {})))
    names = {name: AsyncRepository(model) for name, model in models.items()}
    return type("Shop", (AsyncUnitOfWork,), names)(database, **(options or {}))


async def step(stream: Any) -> Any:
    """Return the next item of a stream of either colour, None at its end."""
    return next(stream._inner, None) if isinstance(stream, Blue) else await anext(stream, None)
