"""How a range of revisions becomes one file that replaces them."""
