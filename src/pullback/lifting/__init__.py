"""Python's control flow, kept while a function is recorded; see README.md."""
