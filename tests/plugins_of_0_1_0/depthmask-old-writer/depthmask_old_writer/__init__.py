"""`writer=old_writer` for depthmask."""
