"""The plan: sample number to recipe, shards, splits and chance. No image is touched here."""
