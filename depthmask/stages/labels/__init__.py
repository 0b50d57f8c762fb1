"""Labels: what is stored about each sample beside image, mask and depth."""
