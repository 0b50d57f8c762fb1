"""The functions of `import depthmask` that make, check and describe datasets."""
