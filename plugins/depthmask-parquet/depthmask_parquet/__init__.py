"""Parquet shards that Hugging Face `datasets` opens with images as images: `writer=parquet`."""
