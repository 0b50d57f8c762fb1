"""The asset store: prepared assets, and what is derived from them alone, kept on disk."""
