"""`source=old_source` for depthmask."""
