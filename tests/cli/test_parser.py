"""What is wrong with the arguments of a command, in our words and not in those of argparse."""

from __future__ import annotations

import pytest

from depthmask.cli.main import main


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("verify", "verify: OUT (folder of a dataset) is missing; usage: depthmask verify"),
        ("verify a b", "verify: b is one argument too many in a b; usage: "),
        ("verify --repiar a", "verify: --repiar: no such option; did you mean --repair?; usage: "),
        ("verify a --repair=1", "verify: --repair takes no value, and here is '1'; usage: "),
        ("verify a seed=1", "verify: seed=1: this command takes no settings; usage: "),
        ("render a", "render: --index (number of the sample) is missing; usage: "),
        ("render a --index x", "render: --index 'x': must be a whole number; usage: "),
        ("render a --index", "render: --index: a value is missing, as in --index INDEX; usage: "),
        ("render a --indx 3", "render: --indx: no such option; did you mean --index?; usage: "),
        ("pictures a --near x", "pictures: --near 'x': must be a number; usage: "),
        (
            "new-plugin placement",
            "new-plugin: NAME (name of the stage, such as my_stage) is missin",
        ),
    ],
)
def test_arguments(words: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split(" ")) == 2
    text = capsys.readouterr().err
    assert text.startswith(f"error: {line}")
    assert len(text.splitlines()) == 1


def test_a_negative_number_is_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "/nosuch", "--index", "-1"]) == 2
    assert "no such option" not in capsys.readouterr().err
