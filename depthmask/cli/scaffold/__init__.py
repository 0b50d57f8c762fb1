"""Creates plugin packages for new stages, from one template for each kind."""
