"""Completes the words of a command line, for the scripts of shells."""
