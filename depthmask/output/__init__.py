"""What lies on the disk: records, atomic publishing, the guard of the output folder."""
