"""Surface normals of each sample, from its depth: `labels=[normals]`."""
