"""Says what is wrong with a word of the command line, where Hydra refuses it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from depthmask.config.explain.known import choice_of, choices_named, known_settings
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, near
from depthmask.config.root import BLOCKS
from depthmask.config.texts import TYPOGRAPHIC
from depthmask.stage.types import has
from depthmask.storage import shell

_NO_TEXT = re.compile(r"null|true|false|nan|-?inf|[-+]?[\d_.]+(?:e[-+]?\d+)?", re.IGNORECASE)
"""What Hydra reads as another value than a text."""
_OPTUNA = "hydra/sweeper=optuna"
_PIP = "pip install 'depthmask[optuna]'"
_FUNCTIONS = "choice(A,B), range(A,B), interval(A,B) and glob(PATTERN)"
"""The functions of Hydra's grammar that make a sweep."""
_NUMBER = r"-?[\d.]+"
_BRACKETS = {"[": "]", "{": "}"}


def choices_of_no_stage(overrides: Sequence[str]) -> Iterator[str]:
    """Yield a message for each word that chooses by something else than a name, as `depth=null`."""
    for word in overrides:
        group, _, value = word.partition("=")
        listed = re.fullmatch(r"\[(.*)\]", value)
        names = listed[1].split(",") if listed and group in LISTS else [value]
        if group in KINDS and any(name in ("null", "") or name.isdigit() for name in names):
            yield f"{word}: {_by_name(group)}"
        elif listed and group in {*KINDS} - {*LISTS}:
            yield f"{word}: choose one, or several by -m {group}={listed[1]}"
        elif group in LISTS and "[" in value[1:]:
            yield f"{word}: choose by a list of names, as in {group}=[NAME,NAME]"


def choices_of_no_name(overrides: Sequence[str]) -> Iterator[str]:
    """Yield a message for each word that chooses by a number or the like, as `+preset=3`."""
    for word in overrides:
        name, _, value = word.partition("=")
        is_group = name.lstrip("+") in KINDS or word.startswith("+") or "/" in name
        if is_group and any(map(_NO_TEXT.fullmatch, value.strip("[]").split(","))):
            yield f"{word}: {_by_name(name)}"


def _by_name(group: str) -> str:
    example = "[NAME,NAME] or []" if group in LISTS else "NAME"
    return f"choose by name, as in {group}={example}"


def unresolved_value(value: str, overrides: Sequence[str]) -> str:
    """The message for `${NAME}` where a stage or a preset is chosen."""
    word = next((word for word in overrides if value in word), value)
    return f"{word}: {value} cannot be resolved here; write a name"


def has_no_name(word: str) -> bool:
    """Whether a word has no name at all, as `=3` or `~`."""
    return re.match(r"[~+]*(?:=|$)", word) is not None


def several_values(word: str) -> str:
    """The message for `placement=random,grid` without `-m`."""
    name, _, values = word.partition("=")
    instead = _one_value(name, values)
    sweep = "add -m to make a dataset with each"
    return f"{word}: several values; {f'{instead}, or {sweep}' if instead else sweep}"


def sweep_meant(name: str, value: str) -> str:
    """The end of a message for `seed=[0,1]` or `seed=0-3`, of a setting that is one number."""
    if not _takes(name, int, float) or _takes(name, list, tuple):
        return ""
    if listed := re.fullmatch(rf"\[({_NUMBER}(?:,\s*{_NUMBER})+)\]", value):
        return f"; with -m {name}={listed[1].replace(' ', '')} makes a dataset with each"
    if ends := re.fullmatch(r"(\d+)(?:-|:|\.{2,3})(\d+)", value):
        return f"; with -m '{name}=range({ends[1]},{int(ends[2]) + 1})' makes a dataset with each"
    return ""


def group_without_setting(group: str) -> str:
    """The message for a value of a group of settings, as in `split=0.8`."""
    names = [one.name for one in known_settings() if one.name.startswith(f"{group}.")]
    return f"is a group of settings: {', '.join(dict.fromkeys(names))}"


def sweep_of_one(word: str, overrides: Sequence[str]) -> str:
    """The message for `seed=range(1,4)` without `-m`."""
    if "interval(" in word and _OPTUNA not in overrides:
        return f"{word}: only Optuna searches an interval; add -m {_OPTUNA} target=NAME ({_PIP})"
    return f"{word}: several values; add -m to make a dataset with each"


def interval_without_optuna(overrides: Sequence[str]) -> str:
    """The message for a sweep over an interval that tries every combination of values."""
    words = [word for word in overrides if "interval(" in word]
    return (
        f"{' '.join(words)}: only Optuna searches an interval; add {_OPTUNA} target=NAME ({_PIP}), "
        "or list values, as in NAME=0.1,0.9"
    )


def unreadable(word: str, overrides: Sequence[str]) -> str:
    """The message for a word that is not in the grammar of overrides."""
    index = list(overrides).index(word) if word in overrides else 0
    before = overrides[index - 1] if index else ""
    return f"{word}: {_cause(word, before, overrides[index + 1 :])}"


def bare_name(words: Sequence[str]) -> str | None:
    """The message for a command line that begins with a setting without `=`; None if it does not.

    A stage or a preset without its group is meant, too.
    """
    name = re.split(r"[:=]", words[0])[0]
    is_meant = name in _names() or choices_named(name)
    return unreadable(words[0], words) if is_meant else None


def not_removed(name: str, overrides: Sequence[str]) -> str:
    """The message for `~NAME` of something that the config has not."""
    word = next((word for word in overrides if word.startswith(f"~{name}")), f"~{name}")
    key = name.partition("=")[0]
    if key in LISTS:
        return f"{word}: no {key} are chosen, so there is nothing to remove; leave the word out"
    if "=" in word:
        return f"{word}: has another value, so there is nothing to remove; leave the word out"
    return f"{word}: there is no {key} to remove; leave the word out"


def added_twice(name: str, overrides: Sequence[str]) -> str:
    """The message for `+NAME=VALUE` of a setting or group that has a value anyway."""
    words = [word for word in overrides if word.lstrip("+").startswith(f"{name}=")]
    word = next((word for word in words if word.startswith("+")), f"+{name}=VALUE")
    return (
        f"{word}: {name} has a value anyway, which is replaced without +: write {word.lstrip('+')}"
    )


def in_other_place(overrides: Sequence[str]) -> Iterator[str]:
    """Yield a message for each word like `placement@x=grid`."""
    for word in overrides:
        name, equals, value = word.partition("=")
        group, at, _ = name.lstrip("+").partition("@")
        if equals and at:
            yield f"{word}: a {group} has one place in the config; write {group}={value}"


def _one_value(name: str, values: str) -> str:
    """How to write as one value what has commas; empty if it cannot be one."""
    if name in LISTS:
        return f"{name}=[{values}] chooses all of them"
    if name in KINDS:
        return "choose one"
    if name in BLOCKS:
        return _settings_of_block(name, values.split(","))
    if name == "objects":
        return f"objects=[{values}] is from the least to the greatest number in a sample"
    if _takes(name, list, tuple):
        return f"{name}=[{values}] is one value"
    if _takes(name, int) and re.fullmatch(r"\d{1,3}(,\d{3})+", values):
        return f"{name}={values.replace(',', '')} is one number"
    if _takes(name, float) and re.fullmatch(r"-?\d+,\d+", values):
        return f"{name}={values.replace(',', '.')} is one number"
    return f"{_quoted(name, values)} is one text" if _takes(name, str, Path) else ""


def _settings_of_block(block: str, values: Sequence[str]) -> str:
    """How to give several values to a block of settings, such as `split`, one by one."""
    names = [one.name for one in known_settings() if one.name.startswith(f"{block}.")]
    each = " ".join(map("=".join, zip(names, values, strict=False)))
    return f"{block} has several settings, which are written one by one, as in {each}"


def _takes(name: str, *kinds: type) -> bool:
    """Whether a setting of this name has values of one of these types, in any stage."""
    return any(has(one.hint, *kinds) for one in known_settings() if one.name == name)


def _cause(word: str, before: str, after: Sequence[str]) -> str:
    """Why a word is no override, and what to write. before, after: the words around it."""
    name, equals, value = word.partition("=")
    if (plain := word.translate(TYPOGRAPHIC)) != word:
        return f"has characters of a word processor; write {shell.word(plain.lstrip('-'))}"
    if not word.strip("~+"):
        return "is no setting; settings are written NAME=VALUE"
    if word.startswith("="):
        return _without_spaces([before or "NAME", word, *after])
    if before.endswith("="):
        return _without_spaces([before, word])
    if not equals and after and after[0].startswith("="):
        return _without_spaces([word, *after])
    if not equals:
        return _without_equals(word, before, after[0] if after else "")
    if name and value.startswith("="):
        value = value.lstrip("=")
        return f"write {shell.word(f'{name}={value}')}"
    if not re.fullmatch(r"[~+]*[\w./@-]+", name):
        return f"{name!r} is no name of a setting; settings are written NAME=VALUE"
    if (parts := _with_rest(word, after)) != [word]:
        return f"a value has no spaces outside of quotes; write {shell.word(''.join(parts))}"
    return _unreadable_value(name, value)


def _with_rest(word: str, after: Sequence[str]) -> list[str]:
    """The word and those after it that belong to its value, as in `size=[240, 320]`."""
    parts = [word]
    for following in after:
        text = "".join(parts)
        goes_on = text.endswith(",") or following.startswith(",") or _balanced(text) != text
        if "=" in following or not goes_on:
            break
        parts.append(following)
    return parts


def _without_spaces(words: Sequence[str]) -> str:
    """What to write for `NAME =VALUE` and `NAME = VALUE`, which begin the words."""
    name = words[0] if re.fullmatch(r"[\w./@+~-]+=?", words[0]) else "NAME"
    joined = "".join([name, *words[1 : 3 if words[1] == "=" else 2]])
    return f"write {shell.word(joined)}, without spaces beside the ="


def _unreadable_value(name: str, value: str) -> str:
    """Why a value is not in Hydra's grammar, and what to write."""
    numbers = re.findall(r"-?[\d.]+", value)
    if numbers and _takes(name.lstrip("+"), list, tuple):
        return f"a list of numbers is written '{name}=[{','.join(numbers)}]'"
    without = re.sub(r",+\s*(?=[\]},]|$)|(?<=[\[{]),+", "", value)
    if without != value:
        return f"a comma lacks its value; write {shell.word(f'{name}={_balanced(without)}')}"
    if opened := _open_bracket(name, value):
        return opened
    if re.fullmatch(r"\{\s*[\w -]+\s*:.*\}", value) and re.search(r"\d,\d", value):
        points = re.sub(r"(?<=\d),(?=\d)", ".", value)
        return f"decimal numbers have a point; write {shell.word(f'{name}={points}')}"
    if re.search(r";.*=", value):
        words = f"{name}={value}".split(";")
        return f"settings are separated by spaces: write {' '.join(map(shell.word, words))}"
    if call := re.match(r"(\w+)\(", value):
        is_known = f"{call[1]}(" in _FUNCTIONS
        return (
            f"{call[1]}(...) is not written so; {_FUNCTIONS} make a sweep with -m"
            if is_known
            else f"{call[1]}(...) is no function; a text is written {_quoted(name, value)}"
        )
    return f"the value has a character with a meaning of its own; write {_quoted(name, value)}"


def _without_equals(word: str, before: str, after: str) -> str:
    name, colon, value = word.lstrip("+~").partition(":")
    if name in _names():
        value = value if colon else after if "=" not in after else ""
        return f"a setting needs a value: write {shell.word(f'{name}={value or _example(name)}')}"
    if f"command {word}" in registry().built_in_names:
        return "a command is the first word, before settings and options"
    if choices := choices_named(name):
        return f"a choice is written with its group: {' or '.join(choices)}"
    if Path(word).exists() or word.startswith(("/", "./", "../")):
        output = shell.word(shell.setting("output", shell.path_word(word)))
        verify = f"verify {shell.word(shell.path_word(word))}"
        return f"a path belongs to a setting or a command; write {output} or {verify}"
    if "=" in before:
        name, _, start = before.partition("=")
        whole = _quoted(name, f"{start} {word}")
        return f"is no setting; if it belongs to the value of {name}, write {whole}"
    if meant := near(name, sorted(_names())):
        return f"is no setting; did you mean {meant}={_example(meant)}?"
    return "is no setting; settings are written NAME=VALUE"


def _example(name: str) -> str:
    """A value for a setting or a group in an example."""
    if name not in KINDS:
        return "VALUE"
    return choice_of(name, next(iter(registry().stages[name]))).partition("=")[2]


def _names() -> set[str]:
    """All names of settings and config groups."""
    return {*KINDS, "preset", "experiment", *(one.name for one in known_settings())} - {*BLOCKS}


def _open_bracket(name: str, value: str) -> str:
    """What is not closed in a value, and what to write; empty if nothing is."""
    for quote in "\"'":
        if value.count(quote) % 2:
            text = value.strip(quote)
            return f"the quote {quote} is not closed; a text is written {_quoted(name, text)}"
    whole = _balanced(value)
    if whole == value:
        return ""
    lacks = (Counter(whole) - Counter(value)).most_common(1)[0][0]
    return f"a bracket {lacks} is missing; write {shell.word(f'{name}={whole}')}"


def _balanced(value: str) -> str:
    """The value with the brackets that it lacks at its ends."""
    for opening, closing in _BRACKETS.items():
        missing = value.count(opening) - value.count(closing)
        value = f"{opening * -missing}{value}{closing * missing}"
    return value


def _quoted(name: str, value: str) -> str:
    """An override with a value that Hydra takes as a text, quoted for the shell."""
    return shell.word(shell.setting(name, value))
