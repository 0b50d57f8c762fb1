"""Sweeps: the result of each job, and the table and the page that compare the jobs."""
