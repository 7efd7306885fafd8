"""The structure that models declare, that revisions make and that a database has: compared, and mended by a revision."""
