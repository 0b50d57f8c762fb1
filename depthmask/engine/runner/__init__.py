"""Runners: who makes the shards."""
