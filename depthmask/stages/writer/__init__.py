"""Writers: the files of a shard, written and read."""
