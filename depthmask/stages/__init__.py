"""Stages: a folder for each config group, with its abstract class in base.py."""
