"""Words that look like options: those of Hydra, settings with hyphens, and misspelt ones."""

from __future__ import annotations

import pytest

from depthmask.config.options import check_options, refuse_misspelt
from depthmask.errors import UsageError


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--samples=10"], "--samples=10: no such option; settings have no hyphens: write samples"),
        (["--samples", "10"], "--samples: no such option; settings have no hyphens: write samples"),
        (["--samples", "seed=1"], "--samples: no such option; settings have no hyphens: write "
         "samples=VALUE; options: -m, --config-dir FOLDER"),
        (["-samples=10"], "-samples=10: no such option; settings have no hyphens: write samples=1"),
        (["--shard-size=10"], "--shard-size=10: no such option; settings have no hyphens: write s"),
        (["--multirn"], "--multirn: no such option; did you mean --multirun?"),
        (["--config-dri", "x"], "--config-dri: no such option; did you mean --config-dir?"),
        (["-x"], "-x: no such option; "),
        (["-m=1"], "-m=1: -m takes no value; write -m alone"),
        (["--cfg"], "--cfg: give a value, as in --cfg job"),
        (["--cfg", "foo"], "--cfg foo: must be one of job, hydra, all"),
        (["--config-dir"], "--config-dir: give a value, as in --config-dir NAME"),
        (["--config-dir", "-m"], "--config-dir: give a value, not -m, as in --config-dir NAME"),
        (["--config-path", "x"], "--config-path: no such option; --config-dir FOLDER adds a folde"),
        (["--own"], "--own: no such option"),
    ],
)  # fmt: skip
def test_no_option(words: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_options(words)
    assert str(caught.value).startswith(line)


def test_options() -> None:
    check_options(["-m", "--multirun", "--config-dir", "x", "-cn=mine", "--cfg", "job", "a=-1"])
    check_options(["--own", "a=1"], own=["--own"])


def test_settings_of_one_command() -> None:
    refuse_misspelt(["batches=1,2", "depth=fastdepth"], ["batches"])
    with pytest.raises(UsageError, match=r"^batchs=1,2: no such setting; did you mean batches=\?$"):
        refuse_misspelt(["batchs=1,2"], ["batches"])
