"""The commands, as `depthmask --help` lists them."""

from __future__ import annotations

COMMANDS = {
    "run": "make, resume or extend a dataset (the default command)",
    "resume": "complete a dataset with the settings of its plan: resume OUT",
    "extend": "add samples to a dataset: extend OUT samples=N",
    "repeat": "make a dataset again, with changes: repeat OUT output=OUT2 NAME=VALUE",
    "plugins": "list every stage, its settings and the package that provides it",
    "render": "make one sample of a dataset again, from its number, in OUT-render",
    "stats": "print the mean and standard deviation of a dataset",
    "report": "write an HTML page about a dataset: gallery, figures, checks",
    "verify": "check every byte of a dataset; --repair makes damaged shards again",
    "pictures": "save the depth maps of a dataset as coloured pictures, in OUT-pictures",
    "prepare": "save the prepared assets as files: prepare source.root=DIR output=OUT",
    "annotate": "add depth to a dataset or photographs: annotate PHOTOS depth=fastdepth output=OUT",
    "convert": "convert a dataset to another file format: convert OUT writer=npz output=OUT2",
    "evaluate": "score a depth estimator on RGB-D pairs or on a dataset",
    "new-plugin": "create a plugin package with a stage of your own: new-plugin KIND NAME",
    "tune": "measure what would be quicker: workers, formats, batches of a network",
    "store": "show the size of the store of prepared assets; --clear empties it",
    "completion": "print the completion script for bash, zsh or fish",
    "help": "explain a command, a config group or a stage: help verify",
}
"""Command -> its help; `depthmask/cli/commands/` has a module for each, with _ for -."""
RESUMED = ("run", "resume", "extend", "repeat", "annotate", "convert")
"""The commands that go on where an interrupted run of them has stopped."""
