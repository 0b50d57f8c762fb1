"""What annotate and convert read: datasets of ours, datasets and pictures of others."""
