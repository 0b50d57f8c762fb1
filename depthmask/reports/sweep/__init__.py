"""Sweeps: what each job came to, and the table and the page that set the jobs side by side."""
