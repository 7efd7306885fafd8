"""Rolling deploys: which instances of the applications live, and what may run while old ones do."""
