"""What boundwork costs beside PyMongo with dicts: `python -m benchmarks`."""
