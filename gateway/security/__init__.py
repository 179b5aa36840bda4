"""Who may do what: see gateway/SECURITY.md, which names the test of every line."""
