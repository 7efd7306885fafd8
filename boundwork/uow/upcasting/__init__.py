"""How a unit works with documents of several schema versions as if all were of the present one."""
