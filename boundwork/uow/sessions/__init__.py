"""Sessions of the servers that a unit can work on: the only code that talks to a driver."""
