"""Sources: where backgrounds and foregrounds come from."""
