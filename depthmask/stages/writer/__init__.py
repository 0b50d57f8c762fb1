"""Writers: how samples become the files of a shard, and back."""
