"""Hooks as plugins declare them: known by name and argument, or left out with the reason."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import depthmask
from depthmask.config import plugins
from depthmask.config.hooks import Hooks, hookimpl
from depthmask.config.plugin_hooks import hooks_of, returned
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Registry
from depthmask.errors import UsageError
from tests.support.plugins import install_module, loaded, run_with_plugins


def of(name: str, function: Callable[..., Any], **options: Any) -> ModuleType:
    """A module with one hook."""
    module = ModuleType("mine")
    setattr(module, name, hookimpl(function, **options))
    return module


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (
            of("depthmask_run_finished", lambda root, outptu: None),
            "hook depthmask_run_finished has no argument outptu; available: root, output",
        ),
        (
            of("depthmask_stages", lambda root: []),
            "hook depthmask_stages has no argument root; available: none",
        ),
        (
            of("depthmask_shard_published", lambda **rest: None),
            "hook depthmask_shard_published has no argument rest; available: root, output, record",
        ),
        (
            of("depthmask_run_ended", lambda: None),
            "no such hook depthmask_run_ended; did you mean depthmask_run_",
        ),
    ],
)
def test_unknown_hooks_and_arguments_are_named(module: ModuleType, said: str) -> None:
    with pytest.raises(UsageError) as error:
        hooks_of(module)
    assert str(error.value).startswith(said)


def yielding() -> Iterator[None]:
    yield


async def waiting() -> None:
    pass


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (
            of("depthmask_run_finished", yielding),
            "hook depthmask_run_finished is a generator, so its body would never run",
        ),
        (
            of("depthmask_run_started", waiting),
            "hook depthmask_run_started is async, so its body would never run",
        ),
        (of("depthmask_stages", waiting), "hook depthmask_stages is async"),
        (
            of("run_finished", lambda output: None),
            "no such hook run_finished; did you mean depthmask_run_finished?",
        ),
        (
            of("depth_mask_stages", lambda: ()),
            "no such hook depth_mask_stages; did you mean depthmask_stages?",
        ),
        (
            of("finish", lambda output: None, specname="depthmask_run_finish"),
            "no such hook depthmask_run_finish; did you mean depthmask_run_finished?",
        ),
        (
            of("depthmask_run_started", functools.cache(lambda outptu: None)),
            "hook depthmask_run_started has no argument outptu",
        ),
    ],
)
def test_hooks_that_would_never_run(module: ModuleType, said: str) -> None:
    with pytest.raises(UsageError) as error:
        hooks_of(module)
    assert str(error.value).startswith(said)


def test_wrappers_and_lists_may_yield() -> None:
    def around() -> Iterator[None]:
        yield

    assert hooks_of(of("depthmask_run_finished", around, wrapper=True))
    assert hooks_of(of("depthmask_run_finished", around, hookwrapper=True))

    def items() -> Iterator[str]:
        yield "pkg://depthmask"

    hooks = hooks_of(of("depthmask_config_paths", items))
    assert returned(hooks, "depthmask_config_paths", str) == ["pkg://depthmask"]


def test_a_cached_hook_is_a_hook() -> None:
    module = of("depthmask_stages", functools.cache(lambda: ()))
    assert returned(hooks_of(module), "depthmask_stages", type) == []


def test_fewer_arguments_and_defaults_are_accepted() -> None:
    for function in (lambda: None, lambda output: None, lambda root, cache={}: None):
        assert hooks_of(of("depthmask_run_finished", function))


def test_an_optional_hook_of_another_version_is_accepted() -> None:
    module = of("depthmask_run_ended", lambda anything: None, optionalhook=True)
    module.depthmask_run_started = hookimpl(lambda: None)  # type: ignore[attr-defined]
    assert set(hooks_of(module)) == {"depthmask_run_ended", "depthmask_run_started"}
    plugins._register(registry(), module, "mine:mine", Provider("mine"))
    try:
        assert [one.plugin for one in registry().hooks("depthmask_run_started")] == ["mine:mine"]
    finally:
        registry().plugins.unregister(module)


def test_a_hook_by_another_function_name() -> None:
    module = of("upload", lambda output: None, specname="depthmask_run_finished")
    assert list(hooks_of(module)) == ["depthmask_run_finished"]


def test_what_is_no_function_is_no_hook() -> None:
    """`import depthmask_tools.x` leaves a name that begins as hooks do."""
    module = of("depthmask_run_started", lambda: None)
    module.depthmask_tools = ModuleType("depthmask_tools")  # type: ignore[attr-defined]
    assert list(hooks_of(module)) == ["depthmask_run_started"]


def test_a_module_that_pluggy_refuses_leaves_no_hook_behind() -> None:
    module = of("depthmask_run_started", lambda: None)
    # A wrapper has to be a generator.
    module.depthmask_run_finished = hookimpl(lambda: None, wrapper=True)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"hook 'depthmask_run_finished' .*generator") as error:
        plugins._register(registry(), module, "mine:mine", Provider("mine"))
    assert "\n" not in str(error.value)
    assert registry().hooks("depthmask_run_started") == []


def test_each_plugin_is_called_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def finished(output: str) -> None:
        calls.append(output)

    with (
        loaded("one", depthmask_run_finished=finished),
        loaded("two", depthmask_run_finished=lambda root: calls.append(root)),
    ):
        hooks = registry().hooks("depthmask_run_finished")
        assert {(one.plugin, str(one.provider)) for one in hooks} == {
            ("one:one", "one 1.2"),
            ("two:two", "two 1.2"),
        }
        by_name = {one.plugin: one.call for one in hooks}
        by_name["two:two"](root="root", output="output")
        assert calls == ["root"]
        by_name["one:one"](root="root", output="output")
    assert calls == ["root", "output"]
    assert registry().hooks("depthmask_run_finished") == []


COMMAND = depthmask.Command("hello", "Say hello.", lambda words: None)
STATISTIC = depthmask.Statistic("width", "Of the image.", lambda sample: sample.image.shape[1])


def test_a_name_of_two_plugins_means_neither() -> None:
    known = Registry(registry().plugins, {"command verify"})
    for provider in (Provider("aaa", "1"), Provider("bbb", "2")):
        known.add_command(
            depthmask.Command("hello", "Say hello.", lambda words: None), "entry", provider
        )
        known.add_statistic(
            depthmask.Statistic("width", "Of the image.", lambda sample: 1), "entry", provider
        )
    known.add_command(
        depthmask.Command("verify", "Mine.", lambda words: None), "mine", Provider("ccc")
    )
    assert (known.commands, known.statistics) == ({}, {})
    assert [str(collision) for collision in known.names.collisions()] == [
        "command hello, statistic width are in aaa 1 and in bbb 2; decide by DEPTHMASK_PREFER=aaa "
        "or DEPTHMASK_PREFER=bbb"
    ]
    assert [str(problem) for problem in known.problems] == [
        "command verify of plugin mine (ccc) is left out: the name is taken by built-in; give it "
        "another one"
    ]


@pytest.mark.parametrize("name", ["Hello", "say hello", "-x", "a=b", "", "--help"])
def test_names_that_no_command_can_have(name: str) -> None:
    with pytest.raises(UsageError, match="the name must be lower-case letters, digits and -"):
        depthmask.Command(name, "Say hello.", lambda words: None)


def test_a_command_has_one_line_of_help() -> None:
    with pytest.raises(UsageError, match="command hello: help must be one line"):
        depthmask.Command("hello", "Say\nhello.", lambda words: None)


def test_a_worker_without_the_plugin_says_so() -> None:
    with pytest.raises(UsageError, match="statistic width: no plugin of this machine has it"):
        registry().statistic("width")


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("depthmask_commands", "Command"),
        ("depthmask_statistics", "Statistic"),
        ("depthmask_config_paths", "str"),
    ],
)
def test_what_hooks_return_is_checked(hook: str, expected: str) -> None:
    with (
        pytest.raises(UsageError, match=f"7 is not a {expected}, which the hook has to return"),
        loaded("mine", **{hook: lambda: [7]}),
    ):
        pass
    assert registry().commands == {}


@pytest.mark.parametrize(
    "hook",
    ["depthmask_stages", "depthmask_commands", "depthmask_statistics", "depthmask_config_paths"],
)
@pytest.mark.parametrize(
    "value",
    [None, "pkg://mine.conf", Path, COMMAND, 7],
    ids=["None", "text", "class", "command", "number"],
)
def test_what_is_no_list_is_named(hook: str, value: Any) -> None:
    with pytest.raises(UsageError) as error, loaded("mine", **{hook: lambda: value}):
        pass
    assert str(error.value) == f"{hook} returned {value!r}; it has to return a list"


@pytest.mark.parametrize("main", [None, "upload", 0])
def test_the_main_of_a_command_is_a_function(main: Any) -> None:
    with pytest.raises(UsageError) as error:
        depthmask.Command("hello", "Say hello.", main)
    assert str(error.value) == f"command hello: main={main!r} must be a function"


@pytest.mark.parametrize(("name", "text"), [(None, "Help."), (7, "Help."), ("a", None), ("a", 7)])
def test_name_and_help_of_a_command_are_texts(name: Any, text: Any) -> None:
    with pytest.raises(UsageError, match=r"^command .*: (the name|help) must be"):
        depthmask.Command(name, text, lambda words: None)


@pytest.mark.parametrize(
    "hook", ["depthmask_commands", "depthmask_statistics", "depthmask_config_paths"]
)
def test_a_hook_that_fails_at_loading_disturbs_nobody(tmp_path: Path, hook: str) -> None:
    code = f"import depthmask\n@depthmask.hookimpl\ndef {hook}():\n    raise OSError('no disk')\n"
    install_module(tmp_path, "bad", code)
    listing = run_with_plugins(tmp_path, "depthmask", "plugins")
    assert listing.returncode == 0, listing.stderr
    assert "plugin bad (bad 1.2) is disabled: OSError: no disk" in listing.stdout


def test_the_list_of_plugins_has_all_that_they_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from depthmask.cli.main import main

    with loaded(
        "mine", depthmask_commands=lambda: [COMMAND], depthmask_statistics=lambda: [STATISTIC]
    ):
        assert main(["plugins"]) == 0
    text = capsys.readouterr().out
    assert "\ncommands\n  hello  (mine 1.2)  Say hello.\n" in text
    assert "\nstatistics\n  width  (mine 1.2)  Of the image." in text
    assert main(["plugins"]) == 0
    assert "statistics" not in capsys.readouterr().out


def test_a_wrong_argument_in_a_package(tmp_path: Path) -> None:
    code = "import depthmask\n@depthmask.hookimpl\ndef depthmask_run_failed(outptu): pass\n"
    install_module(tmp_path, "wrong", code)
    listing = run_with_plugins(tmp_path, "depthmask", "plugins").stdout
    assert (
        "plugin wrong (wrong 1.2) is disabled: hook depthmask_run_failed has no argument outptu; "
        "available: root, output, error" in listing
    )


def test_every_specification_has_help() -> None:
    for name in vars(Hooks):
        if name.startswith("depthmask_"):
            assert getattr(Hooks, name).__doc__
