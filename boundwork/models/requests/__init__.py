"""What a client may set, sort by and ask for: nothing but what the program lists.

Bodies, sorts and lists of fields come parsed or as text, are taken apart as a stranger's, and are refused by name.
"""

from boundwork.models.requests.assigning import apply_request, from_request
from boundwork.models.requests.choosing import fields_from, sort_from

__all__ = ["apply_request", "fields_from", "from_request", "sort_from"]
