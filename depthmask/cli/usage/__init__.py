"""How each command is used: for its `--help`, its arguments, completion and the docs."""
