"""Lazy migration: a revision that names an upcast, and the finisher that brings the rest of the documents."""
