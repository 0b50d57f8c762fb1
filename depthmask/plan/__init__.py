"""The plan: recipes, shards, splits and random streams. No image is opened here."""
