"""Jobs over samples that are there already: convert, annotate."""
