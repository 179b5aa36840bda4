"""What perf_analyzer is asked to send, how it is run, and what its figures say. `antlitz perf` puts them together."""
