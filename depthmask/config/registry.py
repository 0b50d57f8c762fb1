"""The registry of stages: each stage by config group and name, and the package that provides it.

`depthmask.config.plugins` fills it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pluggy

from depthmask.config.command import Command
from depthmask.config.environment import STRICT
from depthmask.config.local_stages import local_stages, source_file
from depthmask.config.names import Named, Names
from depthmask.config.not_installed import how_to_install, package_with
from depthmask.config.provider import BUILT_IN, Provider
from depthmask.data import Sample
from depthmask.errors import DepthmaskError, ShardError, UsageError, comes_again, in_one_line
from depthmask.networks.weight_file import sha256
from depthmask.stage import Stage
from depthmask.stage.calls import StageError, described, source_folder
from depthmask.stages.depth.base import Estimator
from depthmask.stages.geometry.estimated import EstimatedGeometry
from depthmask.statistics.added import Distribution, Quantity, Statistic
from depthmask.storage.packages import FILE_HASH

_UNREGISTERED = "unregistered"
"""The beginning of the version of a stage in a file that belongs to no package."""
KINDS = ("source", "geometry", "placement", "blend", "depth", "labels", "writer", "runner")
"""The config groups, in the order in which a sample passes them."""
LISTS = ("labels",)
"""The groups of which a run may choose several stages, or none; of each other it chooses one."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A stage class and its provider."""

    stage: type[Stage]
    provider: Provider

    def __str__(self) -> str:
        return f"{self.stage.__module__}.{self.stage.__qualname__} ({self.provider})"


@dataclass(frozen=True, slots=True)
class RegisteredCommand:
    """A command of a plugin and its provider."""

    command: Command
    provider: Provider

    def main(self, words: list[str]) -> int:
        """Run the command; an unexpected error becomes one line that names the package."""
        try:
            code = self.command.main(words)
        except (DepthmaskError, BrokenPipeError):
            raise
        except Exception as error:
            raise DepthmaskError(
                f"command {self.command.name} of {self.provider}: {in_one_line(error)}"
            ) from error
        if not isinstance(code, int | None):
            raise DepthmaskError(
                f"command {self.command.name} of {self.provider} returned {code!r}; it must return "
                "an exit code or None"
            )
        return int(code or 0)


@dataclass(frozen=True, slots=True)
class RegisteredStatistic:
    """A statistic of a plugin and its provider."""

    statistic: Statistic
    provider: Provider

    @property
    def name(self) -> str:
        """The name of the statistic."""
        return self.statistic.name

    def empty(self) -> Distribution:
        """The distribution of no samples."""
        quantity = Quantity(self.provider.name, self.statistic.unit, self.statistic.bins)
        return Distribution(quantity, {str(self.provider): self.statistic.help})

    def add(self, sample: Sample, distribution: Distribution) -> None:
        """Measure a sample; raises `ShardError` with sample, statistic and package if it fails."""
        statistic = self.statistic
        try:
            values = statistic.measure(sample)
        except (Exception, SystemExit) as error:
            reason = in_one_line(error, source_folder(statistic.measure))
            raise self._failed(sample, reason, final=comes_again(error)) from error
        try:
            distribution.add(values)
        except (TypeError, ValueError) as error:
            reason = (
                f"measure returned {described(values)}; expected finite numbers, or None ({error})"
            )
            raise self._failed(sample, reason, final=False) from error

    def _failed(self, sample: Sample, reason: str, *, final: bool) -> ShardError:
        cause = f"statistic {self.name} of {self.provider}: {reason}"
        return ShardError(f"sample {sample.index}: {cause}", cause=cause, final=final)


@dataclass(frozen=True, slots=True)
class Preset:
    """A YAML file of a plugin, which is chosen by its name in its config group."""

    path: Path
    provider: Provider

    @property
    def choice(self) -> str:
        """The override without `+`, such as `placement=sparse`; its name as of a stage."""
        return f"{self.path.parent.name}={self.path.stem}"


@dataclass(frozen=True, slots=True)
class ConfigPath:
    """A search path of Hydra, such as `pkg://package.folder`, with presets of a plugin."""

    path: str
    provider: Provider


@dataclass(frozen=True, slots=True)
class HookOfPlugin:
    """The implementation of a hook by one plugin.

    plugin: `DISTRIBUTION:ENTRY_POINT`, the same for all versions. call: takes all arguments of the
    hook by name.
    """

    plugin: str
    provider: Provider
    call: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that is not in the registry, and the reason.

    name: what is left out of a plugin that is loaded, such as `placement=grid`; empty if that is
    all of the plugin.
    """

    plugin: str
    provider: Provider
    reason: str
    name: str = ""

    def __str__(self) -> str:
        plugin = f"plugin {self.plugin} ({self.provider})"
        if self.name:
            return f"{self.name} of {plugin} is left out: {self.reason}"
        return f"{plugin} is disabled: {self.reason}"


@dataclass
class Registry:
    """The stages that this process can use, and what else plugins add.

    Stages are those of packages, and the stage classes of scripts, notebooks and other modules that
    are loaded. packages: the packages that register their stages. commands, statistics, presets:
    those of plugins, by name. names: the names of all of them, and which packages have them; what
    is in the tables can be chosen. built_in_names: further names that no plugin can take.
    config_paths: the search paths of the presets of plugins. providers: a plugin with hooks (see
    `HookOfPlugin`) -> its provider. problems: what is left out. blocked: what the user left out.
    warnings: what else the user should know about plugins. load_seconds: entry point -> seconds of
    its import.
    """

    plugins: pluggy.PluginManager
    built_in_names: Collection[str] = ()
    packages: set[str] = field(default_factory=lambda: {"depthmask"})
    names: Names = field(default_factory=Names)
    stages: dict[str, dict[str, Registered]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    commands: dict[str, RegisteredCommand] = field(default_factory=dict)
    statistics: dict[str, RegisteredStatistic] = field(default_factory=dict)
    presets: dict[str, Preset] = field(default_factory=dict)
    config_paths: list[ConfigPath] = field(default_factory=list)
    providers: dict[str, Provider] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    blocked: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    load_seconds: dict[str, float] = field(default_factory=dict)

    def stage(self, kind: str, name: str) -> type[Stage]:
        """The class of `kind=name`; raises `UsageError` if there is none, or more than one."""
        registered = self.find(kind, name)
        if registered is None:
            names = [one.stage.name for one in self.offered(kind)]
            raise UsageError(self.no_such_stage(kind, name, names))
        return registered.stage

    def no_such_stage(self, kind: str, name: str, names: list[str]) -> str:
        """The error message for a stage that does not exist; its plugin may be left out.

        names: those that exist.
        """
        choice = f"{kind}={name}"
        for problem in (*self.problems, *self.blocked):
            plugin = (problem.plugin, *_short_names(problem.provider.name))
            is_of_it = name in plugin or problem.provider.name == package_with(choice)
            if problem.name == choice or (not problem.name and is_of_it):
                return f"{choice}: no such {kind}; {problem}"
        for one in self.offered("depth"):
            if kind == "geometry" and one.stage.name == name and issubclass(one.stage, Estimator):
                return (
                    f"{choice}: {one} gives no depth in metres, which geometry needs "
                    f"(serves_as_geometry = False); choose it by depth={name}"
                )
        if command := how_to_install(choice):
            return f"{choice} is not installed: {command}; available: {', '.join(names)}"
        return no_such_name(kind, name, names)

    def find(self, kind: str, name: str) -> Registered | None:
        """The stage of `kind=name`, None if there is none; `UsageError` if there are several."""
        self.require_decided(kind, name)
        offered = [one for one in self.offered(kind) if one.stage.name == name]
        for one in offered:
            self._require_own_name(kind, one, offered)
            require_complete(one.stage)
        return offered[0] if offered else None

    def require_decided(self, group: str, name: str) -> None:
        """Raise `UsageError` for a stage or preset whose name several packages have."""
        self.names.require_decided(f"{group}={name}")

    def offered(self, kind: str) -> list[Registered]:
        """The stages of a config group, those without a package at the end."""
        registered = list(self.stages.get(kind, {}).values())
        known = {one.stage for one in registered}
        local = (cls for cls in local_stages(self.packages) if kind in _groups(cls))
        return [
            *registered,
            *(Registered(cls, _local_provider(cls)) for cls in local if cls not in known),
        ]

    def provider(self, stage: Stage | type[Stage]) -> Provider:
        """The provider of a stage, or of its class."""
        cls = stage if isinstance(stage, type) else type(stage)
        for offered in self.offered(cls.kind):
            if offered.stage is cls:
                return offered.provider
        return Provider(_UNREGISTERED, is_package=False)

    def message(self, error: BaseException) -> str:
        """The message of an error; that of a `StageError` names the package of the stage."""
        if not isinstance(error, StageError):
            return str(error)
        provider = self.provider(error.stage)
        if isinstance(error.stage, EstimatedGeometry):
            provider = self.provider(error.stage.inner_stages()[0])
        if provider.name in (BUILT_IN, _UNREGISTERED):
            return str(error)
        owner = provider if provider.is_package else provider.name
        return f"{error.choice} ({owner}): {error.text}"

    def hooks(self, name: str) -> list[HookOfPlugin]:
        """The implementations of a hook, one for each plugin, in the order in which to call them.

        They are called one by one, since pluggy would stop at the first that fails.
        """
        manager = self.plugins
        implementations = getattr(manager.hook, name).get_hookimpls()
        # The keys of a dict, which keep the order: a plugin may implement a hook twice.
        modules = {one.plugin: one.plugin_name for one in reversed(implementations)}
        return [
            HookOfPlugin(
                plugin,
                self.providers[plugin],
                manager.subset_hook_caller(name, manager.get_plugins() - {module}),
            )
            for module, plugin in modules.items()
        ]

    def statistic(self, name: str) -> RegisteredStatistic:
        """The statistic of this name; raises `UsageError` if its plugin is not loaded here."""
        if name not in self.statistics:
            raise UsageError(f"statistic {name}: no plugin of this machine has it; install it here")
        return self.statistics[name]

    def command(self, name: str) -> RegisteredCommand | None:
        """The command of this name; `UsageError` if several plugins have it."""
        self.names.require_decided(f"command {name}")
        return self.commands.get(name)

    def add(self, stage: type[Stage], plugin: str, provider: Provider) -> None:
        """Register a stage in its config groups."""
        for kind in _groups(stage):
            named = Named(provider, self.stages[kind], stage.name, Registered(stage, provider))
            self._add(f"{kind}={stage.name}", plugin, named)

    def add_command(self, command: Command, plugin: str, provider: Provider) -> None:
        """Register a command."""
        registered = RegisteredCommand(command, provider)
        named = Named(provider, self.commands, command.name, registered)
        self._add(f"command {command.name}", plugin, named)

    def add_statistic(self, statistic: Statistic, plugin: str, provider: Provider) -> None:
        """Register a statistic."""
        registered = RegisteredStatistic(statistic, provider)
        named = Named(provider, self.statistics, statistic.name, registered)
        self._add(f"statistic {statistic.name}", plugin, named)

    def add_preset(self, preset: Preset, plugin: str) -> None:
        """Register a preset."""
        named = Named(preset.provider, self.presets, preset.choice, preset)
        self._add(preset.choice, plugin, named)

    def owner(self, name: str) -> Provider | None:
        """What provides the name, such as `placement=grid`; the first of several."""
        if name in self.built_in_names:
            return Provider(BUILT_IN)
        return next(iter(self.names.providers(name)), None)

    def _add(self, name: str, plugin: str, named: Named) -> None:
        """Register what a plugin adds; a name that it cannot have becomes a problem."""
        is_built_in = name in self.built_in_names
        owner = Provider(BUILT_IN) if is_built_in else self.names.add(name, named)
        if owner is not None:
            reason = f"the name is taken by {owner}; give it another one"
            self.leave_out(Problem(plugin, named.provider, reason, name))

    def leave_out(self, problem: Problem) -> None:
        """Add a problem; with `DEPTHMASK_STRICT_PLUGINS=1` raise it as `DepthmaskError`."""
        _raise_if_strict(str(problem))
        self.problems.append(problem)

    def warn(self, text: str) -> None:
        """Add a warning; with `DEPTHMASK_STRICT_PLUGINS=1` raise it as `DepthmaskError`."""
        _raise_if_strict(text)
        self.warnings.append(text)

    def _require_own_name(self, kind: str, one: Registered, offered: Sequence[Registered]) -> None:
        """Raise `UsageError` for a class without a package whose name is taken."""
        name = f"{kind}={one.stage.name}"
        others = [str(other) for other in offered if other is not one]
        if not one.provider.is_package and (owner := self.owner(name)) and not others:
            others = [f"a preset ({owner})"]
        if others:
            raise UsageError(
                f"{name} is the name of {one} and of {others[0]}; give the class another name in "
                "@stage"
            )


def _raise_if_strict(text: str) -> None:
    if os.environ.get(STRICT) == "1":
        raise DepthmaskError(text)


def place_of(kind: str, name: str) -> str:
    """Where the settings of a stage are in the config, such as `placement` or `labels.coco`."""
    return f"{kind}.{name}" if kind in LISTS else kind


def require_complete(stage: type[Stage]) -> None:
    """Raise `UsageError` if a stage class lacks a method that is abstract in its base class."""
    if stage.__abstractmethods__:
        raise UsageError(f"stage {stage.name} lacks {', '.join(sorted(stage.__abstractmethods__))}")


def no_such_name(kind: str, name: str, names: list[str]) -> str:
    """The error message for a name that does not exist, with the names that exist."""
    return f"{kind}={name}: no such {kind}{suggestion(name, sorted(names), f'{kind}=')}"


def suggestion(name: str, known: list[str], prefix: str = "") -> str:
    """The end of an error message: the most similar name, and all names."""
    meant = near(name, known)
    text = f"; did you mean {prefix}{meant}? Available: " if meant else "; available: "
    return text + (", ".join(known) or "none")


def near(name: str, known: list[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most similar, None if none is similar enough.

    What all of them have in front, such as `placement.`, makes none of them more similar.
    """
    group = name.rpartition(".")[0]
    front = f"{group}." if group and all(one.startswith(f"{group}.") for one in known) else ""
    keys = [one.removeprefix(front) for one in known]
    similar = difflib.get_close_matches(name.removeprefix(front), keys, n=1, cutoff=cutoff)
    return f"{front}{similar[0]}" if similar else None


def _short_names(package: str) -> tuple[str, str]:
    """A package's name as that of a stage: `depthmask-my-thing` is likely to have `my_thing`."""
    name = re.sub(r"[-_.]+", "_", package).lower()
    return name, name.removeprefix("depthmask_")


def _local_provider(stage: type[Stage]) -> Provider:
    """The file of a stage without a package, with a hash: another content is another version."""
    file = source_file(stage)
    if file is None:
        return Provider(stage.__module__, is_package=False)
    return Provider(file.name, f"{FILE_HASH}{sha256(file)[:16]}", is_package=False)


def _groups(stage: type[Stage]) -> tuple[str, ...]:
    """The config groups of a stage: an estimator of metres is also a geometry."""
    kind = getattr(stage, "kind", "")
    is_geometry = issubclass(stage, Estimator) and stage.serves_as_geometry
    return (kind, "geometry") if is_geometry else (kind,)
