"""How datasets are stored: paths, stores, records, atomic publishing, and their identity."""
