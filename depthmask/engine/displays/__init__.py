"""What shows a run: lines, a bar on a terminal, a bar in a notebook; and the log of the run."""
