"""The domain of `boundwork demo`: the flights that left New York in 2013, their planes and airports.

Read `models.py`, then `logbook.py`: they are all a program needs. `data.py` and `records.py` read the files,
`job.py` runs the units, `totals.py` does the sums a second time, `proofs.py` compares.
"""
