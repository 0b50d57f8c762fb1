"""`depthmask tune`: what would be quicker, for a network by batch size, else for a whole run."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.tuning.batches import tune_batches
from depthmask.cli.tuning.settings import tune_settings
from depthmask.config.compose import compose_root
from depthmask.config.options import refuse_misspelt
from depthmask.config.resources import check_resources
from depthmask.errors import UsageError
from depthmask.stages.depth.base import Estimator


def main(arguments: Sequence[str]) -> int:
    """Measure a network at `batches=1,2,4,...`, or a run with other settings; print a table."""
    refuse_misspelt(arguments, ["batches"])
    overrides = [word for word in arguments if not word.startswith("batches=")]
    texts = [word.partition("=")[2] for word in arguments if word.startswith("batches=")]
    batches = _batches(texts[-1] if texts else "1,2,4,8,16,32,64")
    root = compose_root(overrides)
    if isinstance(root.depth, Estimator) and hasattr(root.depth, "batch"):
        check_resources([("depth", root.depth)])
        return tune_batches(overrides, batches, root.canvas)
    if texts:
        raise UsageError(f"depth={root.depth.name} has no batch size to tune; try depth=fastdepth")
    return tune_settings(overrides, root)


def _batches(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UsageError(
            f"batches={text}: must be whole numbers separated by commas, as in batches=1,2,4"
        ) from None
