"""The inputs of annotate and convert: datasets of depthmask, and pictures from elsewhere."""
