"""Plugin packages for new stages, made from a template for each kind."""
