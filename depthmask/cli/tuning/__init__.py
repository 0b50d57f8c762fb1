"""What `depthmask tune` measures."""
