"""Templates of packages with a new stage, one for each kind."""
