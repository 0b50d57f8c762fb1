"""Files about a whole dataset, for people and for other tools."""
