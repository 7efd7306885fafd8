"""One revision file that stands for several: what of them is written anew, and what is kept whole.

A revision that only changes structure, with values that are in the file, and whose way back is the inverse of its steps,
is written anew; neighbours of that kind are folded. Every other file is kept whole, as a function of the new file, and
its steps are declared under its old id. What the new file declares is compared with what the old ones do before it stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from boundwork.alembic_like_migrations.autogenerate.python_text import Writer
from boundwork.alembic_like_migrations.autogenerate.rendering import OP, lines_of
from boundwork.alembic_like_migrations.drafts import Body
from boundwork.alembic_like_migrations.engine.program import Program, prepare
from boundwork.alembic_like_migrations.errors import SquashImpossible
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.squashing.folding import Piece, folded
from boundwork.alembic_like_migrations.squashing.sources import Source
from boundwork.alembic_like_migrations.squashing.words import word_of
from boundwork.alembic_like_migrations.steps.step import AnyStep, Irreversible, StructureStep

NO_DOWN = "it has no down()"


@dataclass(frozen=True, slots=True)
class Squashed:
    """A squash that was written: what of the replaced revisions it has anew, and what it keeps whole.

    `irreversible` says why it has no way back; None if it has one.
    """

    revision: Revision
    anew: tuple[str, ...]
    kept: tuple[str, ...]
    irreversible: str | None


@dataclass(frozen=True, slots=True)
class Squash:
    """What is to be written: the steps of each replaced revision in order, those of a kept one as they are."""

    replaced: tuple[Revision, ...]
    programs: tuple[Program, ...]
    kept: frozenset[str]

    @classmethod
    def of(cls, replaced: Sequence[Revision]) -> "Squash":
        """Run the files of revisions, which declares their steps. Raises RevisionBroken."""
        programs = tuple(prepare(one) for one in replaced)
        kept = frozenset(one.revision.revision for one in programs if not _can_be_written(one))
        return cls(tuple(replaced), programs, kept)

    @property
    def message(self) -> str:
        """What became of each revision, a line for each."""
        lines = [
            f"{one.revision}, {'kept whole' if one.revision in self.kept else 'written anew'}: {one.title}"
            for one in self.replaced
        ]
        return "\n".join(lines)

    def body(self) -> Body:
        """Return what stands in the file."""
        writer = Writer()
        sources = {one.revision: Source.of(one) for one in self.replaced if one.revision in self.kept}
        up: list[str] = []
        for kept, pieces in self._parts():
            if kept is not None:
                up += [f"# {kept}", f'op.keep("{kept}", _{kept})']
                continue
            for revision, own in groupby(pieces, key=lambda piece: piece.revision):
                words = [word for piece in own if (word := word_of(piece.step)) is not None]
                up += [f"# {revision}", *(line for word in words for line in lines_of(word, writer))]
        future = sorted({line for source in sources.values() for line in source.future})
        imports = sorted({*writer.imports, OP}, key=lambda line: (line.startswith("from boundwork"), line))
        before: list[str] = []
        for program in self.programs:
            name = program.revision.revision
            if name in sources:
                down = program.why_not_down != NO_DOWN
                before += ["", "", *sources[name].as_function(f"_{name}", has_down=down)]
        return Body((*future, *imports), tuple(up or ["pass"]), ("op.revert()",), tuple(before))

    def compare(self, program: Program) -> None:
        """Raise SquashImpossible if the new file does not declare the steps that it should."""
        pieces = [piece for _, part in self._parts() for piece in part]
        wrong = next(
            (piece for piece, step in zip(pieces, program.up, strict=False) if not _same(piece.step, step)), None
        )
        if wrong is None and len(pieces) != len(program.up):
            wrong = pieces[-1] if pieces else Piece(self.replaced[-1].revision, program.up[0])
        if wrong is not None:
            raise SquashImpossible(
                f"The new file would not declare the same steps as {wrong.revision}, and was not kept. That file declares "
                "other steps each time, or cannot be a function. Squash a range without it."
            )

    def _parts(self) -> list[tuple[str | None, list[Piece]]]:
        """Return the kept revisions, each alone, and between them what is written anew."""
        found: list[tuple[str | None, list[Piece]]] = []
        for kept, programs in groupby(self.programs, key=lambda one: one.revision.revision in self.kept):
            parts = [(one.revision.revision, _pieces(one)) for one in programs]
            found += parts if kept else [(None, folded([piece for _, pieces in parts for piece in pieces]))]
        return found


def _pieces(program: Program) -> list[Piece]:
    return [Piece(program.revision.revision, step) for step in program.up]


def _can_be_written(program: Program) -> bool:
    """Tell whether a revision is its structure steps and nothing else."""
    if any(word_of(step) is None for step in program.up) or not Source.of(program.revision).constant:
        return False
    try:
        inverses = tuple(step.inverse() for step in reversed(program.up))
    except Irreversible:
        return False
    return program.down == inverses


def _same(wanted: AnyStep, declared: AnyStep) -> bool:
    if isinstance(wanted, StructureStep) and word_of(wanted) is not None:
        return wanted == declared
    # Functions of a file are others each time that it is run.
    alike = (wanted.title, getattr(wanted, "mark", None)) == (declared.title, getattr(declared, "mark", None))
    return alike and type(wanted) is type(declared)
