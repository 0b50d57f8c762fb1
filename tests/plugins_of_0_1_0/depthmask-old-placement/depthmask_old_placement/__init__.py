"""`placement=old_placement` for depthmask."""
