"""Seeing inside: figures for Prometheus, log lines that belong to a session, traces of a turn."""
