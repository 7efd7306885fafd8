"""References from one document to another: the value, how it is stored, and the ways that lead along references."""
