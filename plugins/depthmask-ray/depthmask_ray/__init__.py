"""The runner of depthmask for Ray clusters: `runner=ray`."""
