"""Which models are meant where none are named: seen in a program of its own, since a run of tests has those of all tests."""

import os
import subprocess
import sys

PROGRAM = """
from boundwork import Document, Index
from boundwork.models.structure.gathering import declared_structure

class Base(Document):
    name: str = ""

class First(Base, collection="first", indexes=[Index("name")]):
    pass

class First(Base, collection="first", indexes=[Index("name", unique=True)]):
    pass

class Second(First, collection="second"):
    pass

def inside():
    class Local(Base, collection="local"):
        pass
    return Local

kept = inside()
print([(one.name, [index.unique for index in one.indexes]) for one in declared_structure()])
"""


def test_without_models_those_of_all_modules_are_meant_each_as_it_was_defined_last() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "[('first', [True]), ('second', [True])]"
