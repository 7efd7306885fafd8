"""How steps are carried out: who may (the lease), where it stands (the ledger), and batch by batch (the runner)."""
