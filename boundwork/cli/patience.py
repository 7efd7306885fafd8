"""How long a command waits for a server that is not there: less than the driver would, since somebody waits for the answer."""


def giving_up_after(milliseconds: int, url: str) -> dict[str, int]:
    """Return the option for a client that gives up so soon; none if the URL says when, or is not that of a server."""
    scheme, _, rest = url.partition("://")
    said = "serverselectiontimeoutms=" in rest.partition("?")[2].lower()
    return {} if said or not scheme.lower().startswith("mongodb") else {"serverSelectionTimeoutMS": milliseconds}
