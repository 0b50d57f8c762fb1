"""From a recipe to a composite: place, cover, blend."""
