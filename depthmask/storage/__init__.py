"""Where datasets lie: paths, stores, records, atomic publishing, and the identity of a dataset."""
