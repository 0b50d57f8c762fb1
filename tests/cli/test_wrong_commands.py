"""Wrong command lines, made from right ones: a few lines of our own, which name the wrong word."""

from __future__ import annotations

import itertools
import random
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TypeAlias

import pytest

from depthmask.cli.main import main
from depthmask.errors import UsageError

COUNT = 300
MOST_LINES = 25
RIGHT_BY_CHANCE = "right by chance"

RIGHT = (
    "run placement=grid placement.rows=3 writer=zip samples=20 seed=1",
    "source=assets source.root=DIR output=OUT size=[32,48] objects=[1,2]",
    "placement=ground placement.heights={person:[1.5,1.9]} labels=[coco,instances] flips=false",
    "+preset=pairs encode.quality=80 encode.image=png split.train=0.8 split.val=0.2",
    "depth=layered depth.relief=false geometry=source blend=feather blend.shadow=0.5",
    "source.rooms=8 sampling=product repeats=3 shard_size=5 overwrite=true fov_deg=70",
    "-m placement=random,grid writer=zip,npz output=OUT",
    "-m seed=0,1 hydra/launcher=basic runner.workers=1",
    "-m +experiment=placements samples=2",
    "-m placement.min_scale=0.3,0.5 target=statistics.mask.mean --config-dir DIR",
    "annotate OUT depth=fastdepth output=OUT2 writer=zip",
    "convert OUT writer=npz output=OUT2 runner.workers=2",
    "prepare source=assets source.root=DIR output=OUT",
    "evaluate depth=fastdepth on=DIR images=10 json=FILE",
    "tune depth=fastdepth batches=1,2 size=[32,32]",
    "resume OUT runner.workers=2",
    "extend OUT samples=40",
    "repeat OUT output=OUT2 seed=3 placement=grid",
    "verify OUT --repair",
    "report OUT --into FILE",
    "render OUT --index 3 --into DIR",
    "stats OUT --json",
    "pictures OUT --count 3 --near 0.5 --far 9",
    "new-plugin placement my_stage --into DIR",
    "completion bash",
)
"""Right command lines. The datasets and folders that they name are absent or empty, so that even a
mutant that is right by chance makes nothing but an error."""
FOREIGN = (
    "hydra.cc", "Could not override", "Could not append", "Could not delete", "Key '", "full_key",
    "object_type", "mismatched input", "LexerNoViableAlt", "no viable alternative", "extraneous",
    "invalid choice", "arguments are required", "unrecognized arguments", "expected one argument",
    "OmegaConf", "omegaconf", "ListConfig", "DictConfig", "ValueError", "TypeError", "KeyError",
    "AttributeError", "Traceback", "requires --multirun", "Ambiguous value", "defaults list.",
    "HYDRA_FULL_ERROR", "cv2", "OpenCV", "Errno", "(Hydra: ", "DEPTHMASK_TRACEBACK",
)  # fmt: skip
"""Words of Hydra, OmegaConf, argparse, OpenCV and Python, which tell a user nothing."""
NEIGHBOURS = {"a": "s", "e": "r", "i": "o", "o": "p", "t": "r", "s": "d", "r": "t", "n": "m"}
VALUES = ("abc", "-1", "1.5", "null", "true", "[1,2", "[]", "{a:1}", "1,2", "10k", "''", "a b",
          "(1,2)", "x=y", "${nosuch}", "~", "9" * 20, "nan", "1e400", "é")  # fmt: skip
STRAYS = (
    *("--samples=3", "--foo", "-x", "samples", "10", "=", "=3", "+", "~", "++x=1", "~nosuch"),
    *("nosuch=1", "+samples=1", "+placement=grid", "~labels", "samples:3", "a/b=c"),
    *("placement@x=grid", "hydra/launcher=joblip", "runner=ray", "--config-name", "--cfg"),
)


def _changed(word: str, rng: random.Random) -> str:
    """A word with one letter dropped, doubled, swapped or replaced."""
    letters = [number for number, letter in enumerate(word) if letter.isalpha()]
    if not letters:
        return f"{word}x"
    number = rng.choice(letters)
    before, letter, after = word[:number], word[number], word[number + 1 :]
    return rng.choice(
        [
            before + after,
            before + 2 * letter + after,
            before + after[:1] + letter + after[1:],
            before + NEIGHBOURS.get(letter, "q") + after,
        ]
    )


def _other_name(word: str, rng: random.Random) -> str:
    name, equals, value = word.partition("=")
    return f"{_changed(name, rng)}{equals}{value}"


def _other_value(word: str, rng: random.Random) -> str:
    return f"{word.partition('=')[0]}={rng.choice(VALUES)}"


def _other_spelling(word: str, rng: random.Random) -> str:
    name, _, value = word.partition("=")
    return rng.choice(
        [f"--{word}", f"{name.replace('_', '-').title()}={value}", f"{name}:{value}", name,
         f"{name}=={value}", f"{name}s={value}", f"{name.rpartition('.')[2]}x={value}"]
    )  # fmt: skip


def _misspelt_value(word: str, rng: random.Random) -> str:
    name, equals, value = word.partition("=")
    return f"{name}{equals}{_changed(value, rng)}"


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_changed, _other_name, _other_value, _other_spelling, _misspelt_value),
)


Mutant: TypeAlias = tuple[str, list[str], str]
"""The right command line, the words of the wrong one, and the word that is wrong or missing."""


def mutants(seed: int) -> Iterator[Mutant]:
    """Yield command lines of which nearly all are wrong, without end."""
    rng = random.Random(seed)
    while True:
        right = rng.choice(RIGHT)
        words = right.split(" ")
        number = rng.randrange(len(words))
        kind = rng.random()
        if kind < 0.8:
            words[number] = wrong = rng.choice(MUTATIONS)(words[number], rng)
        elif kind < 0.9:
            wrong = rng.choice(STRAYS)
            words.insert(number + 1, wrong)
        else:
            wrong = words.pop(number)
        yield right, words, wrong


def refuse(*arguments: object, **named: object) -> NoReturn:
    raise UsageError(RIGHT_BY_CHANCE)


@pytest.fixture
def harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no command begin its work: it ends where it would, in an empty folder."""
    works = ("commands.run.job_from_config", "make.run_job", "sweep.job.job_from_config")
    tunings = ("tuning.batches._measure_in_new_process", "tuning.settings.job_from_config")
    for name in (*works, *tunings):
        monkeypatch.setattr(f"depthmask.cli.{name}", refuse)
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], words: list[str]) -> tuple[int, str]:
    """The exit code and all that a command prints, in a folder with the empty folder DIR."""
    for path in Path().iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    Path("DIR").mkdir()
    code = main(words)
    captured = capsys.readouterr()
    return code, f"{captured.out}{captured.err}".strip()


def faults(right: str, words: list[str], wrong: str, code: int, text: str) -> Iterator[str]:
    """Yield what is wrong with the answer to a wrong command line."""
    lines = text.splitlines()
    if code not in (1, 2):
        yield f"exit code {code}"
    if "-m" not in words and not lines[0].startswith(("error: ", "usage: ")):
        yield "the first line is no error"
    if not 1 <= len(lines) <= MOST_LINES:
        yield f"{len(lines)} lines"
    yield from (f"{word!r} is in it" for word in FOREIGN if word in text)
    is_missing = wrong not in words
    about = [wrong, re.split("[=@:]", wrong.lstrip("+~-"))[0]]
    if is_missing:
        # What is missing has another name in the help, or makes its neighbours wrong.
        about += [word.partition("=")[0] for word in right.split(" ")]
    if not any(word and word in text for word in about):
        yield "it does not name the word"


@pytest.mark.usefixtures("harmless")
def test_a_few_lines_that_name_the_word(capsys: pytest.CaptureFixture[str]) -> None:
    baseline = {right: said(capsys, right.split(" ")) for right in RIGHT}
    answers = ((mutant, said(capsys, mutant[1])) for mutant in mutants(19))
    wrong = (
        (mutant, answer)
        for mutant, answer in answers
        if answer != baseline[mutant[0]] and answer[0] != 0 and RIGHT_BY_CHANCE not in answer[1]
    )
    bad = [
        f"{shlex.join(words)}\n  {fault}\n  {text}"
        for (right, words, word), (code, text) in itertools.islice(wrong, COUNT)
        for fault in faults(right, words, word, code, text)
    ]
    assert not bad, "\n".join(bad)
