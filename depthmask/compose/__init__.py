"""From a recipe to a composite: places foregrounds, resolves occlusion, and blends."""
