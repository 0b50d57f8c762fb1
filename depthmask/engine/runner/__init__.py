"""Runners: they distribute the shards of a job to workers."""
