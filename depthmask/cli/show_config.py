"""What Hydra's options show, such as `--cfg job`; an option that has no use here gets a line."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from depthmask.cli.lines import show_exactly
from depthmask.cli.usage.pages import PAGES
from depthmask.config.command_line import CommandLine, taken_out
from depthmask.config.compose import compose_root
from depthmask.config.dump import config_text, package_text
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import compose_run
from depthmask.config.registry import suggestion
from depthmask.errors import UsageError

_COMPLETION = 'eval "$(python -m depthmask completion bash)" lets bash complete words'
_FOLDER = "--config-dir FOLDER adds your configs, --config-name NAME starts from one of them"
_INSTEAD = {
    "--shell-completion": _COMPLETION,
    "-sc": _COMPLETION,
    "--hydra-help": "`python -m depthmask run --help` has the options that are of use",
    "--experimental-rerun": "`python -m depthmask repeat OUT output=OUT2` makes a dataset again",
    "--config-path": _FOLDER,
    "-cp": _FOLDER,
}
"""Option of Hydra that has no use here -> what does the same."""
_CFG, _PACKAGE, _INFO = ("--cfg", "-c"), ("--package", "-p"), ("--info", "-i")
_MULTIRUN = {"-m", "--multirun"}


def with_topic(words: Sequence[str]) -> list[str]:
    """The words with `--info=all` for an `--info` without a topic."""
    topics = next(one.choices for one in PAGES["run"].options if one.name == "--info")
    following = [*words[1:], ""]
    return [
        "--info=all" if word in _INFO and after not in topics else word
        for word, after in zip(words, following, strict=False)
    ]


def show(words: Sequence[str]) -> bool:
    """Print what the options ask for; returns whether they do.

    Raises `UsageError` for an option that has no use here, or none without another one.
    """
    if not any(word.startswith("-") for word in words):
        return False
    _refuse_useless(words)
    line = CommandLine.parse(words)
    part, options = taken_out(line.options, _CFG)
    package, options = taken_out(options, _PACKAGE)
    if part is None:
        _refuse_alone(line.options)
        return False
    if _MULTIRUN & {*options}:
        raise UsageError("--cfg prints one config; leave out -m, and give one value to each NAME")
    show_exactly(_config(line, part, package).removesuffix("\n"))
    return True


def _refuse_useless(words: Sequence[str]) -> None:
    for word in words:
        name = word.partition("=")[0]
        if name in _INSTEAD:
            raise UsageError(f"{name} is not supported; {_INSTEAD[name]}")


def _refuse_alone(options: Sequence[str]) -> None:
    for option in options:
        name = option.partition("=")[0]
        if name in ("--resolve", *_PACKAGE):
            raise UsageError(f"{name} belongs to --cfg, as in `--cfg job --package placement`")


def _config(line: CommandLine, part: str, package: str | None) -> str:
    """The config of a command line as text: `job`, `hydra` or `all`, or a group of it."""
    if part == "job":
        root = compose_root(_words(line))
        return package_text(root, package) if package else config_text(root)
    if part == "hydra":
        return _hydra_text(line, package)
    if part == "all":
        return config_text(compose_root(_words(line))) + _hydra_text(line, package)
    raise UsageError(f"--cfg {part}: must be job, hydra or all, as in `--cfg job`")


def _hydra_text(line: CommandLine, package: str | None) -> str:
    """Hydra's own settings, or a group of them such as `hydra.launcher`."""
    try:
        config = compose_run(line)
    except Exception as error:
        raise explain(error, _words(line)) from error
    group = OmegaConf.select(config, package or "hydra", throw_on_resolution_failure=False)
    if not isinstance(group, DictConfig):
        names = [f"hydra.{name}" for name in config.hydra]
        raise UsageError(f"--package {package}: no such group{suggestion(str(package), names)}")
    return OmegaConf.to_yaml(group if package else OmegaConf.create({"hydra": group}))


def _words(line: CommandLine) -> list[str]:
    """The words that choose the config of a command line."""
    folder = [] if line.folder is None else ["--config-dir", str(line.folder)]
    return [*line.overrides, *folder, "--config-name", line.config_name]
