"""The registry of stages: each stage by config group and name, and the package that provides it.

`depthmask.config.plugins` fills it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pluggy

from depthmask.config.command import Command
from depthmask.config.local_stages import local_stages, source_file
from depthmask.data import Sample
from depthmask.errors import DepthmaskError, ShardError, UsageError, comes_again, in_one_line
from depthmask.networks.weight_file import sha256
from depthmask.stage import Stage
from depthmask.stage.calls import StageError, described, source_folder
from depthmask.stages.depth.base import Estimator
from depthmask.stages.geometry.estimated import EstimatedGeometry
from depthmask.statistics.added import Distribution, Quantity, Statistic

BUILT_IN = "built-in"
_UNREGISTERED = "unregistered"
FILE_HASH = "sha256:"
"""The beginning of the version of a stage in a file that belongs to no package."""
KINDS = ("source", "geometry", "placement", "blend", "depth", "labels", "writer", "runner")
"""The config groups, in the order in which a sample passes them."""
LISTS = ("labels",)
"""The groups of which a run may choose several stages, or none; of each other it chooses one."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What provides a stage: `built-in`, a distribution and its version, or a file and its hash."""

    name: str
    version: str = ""
    is_package: bool = True

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


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
    """A plugin, or a stage of it, that is not in the registry, and the reason."""

    plugin: str
    provider: Provider
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin} ({self.provider}) is disabled: {self.reason}"


@dataclass
class Registry:
    """The stages that this process can use, and what else plugins add.

    Stages are those of packages, and the stage classes of scripts, notebooks and other modules that
    are loaded. packages: the packages that register their stages. commands, statistics: those of
    plugins, by name. built_in_commands: names that no plugin can take. config_paths: the search
    paths of the presets of plugins. providers: a plugin with hooks (see `HookOfPlugin`) -> its
    provider. problems: the plugins that are left out. blocked: those that the user left out.
    load_seconds: entry point -> seconds of its import.
    """

    plugins: pluggy.PluginManager
    built_in_commands: Collection[str] = ()
    packages: set[str] = field(default_factory=lambda: {"depthmask"})
    stages: dict[str, dict[str, Registered]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    commands: dict[str, RegisteredCommand] = field(default_factory=dict)
    statistics: dict[str, RegisteredStatistic] = field(default_factory=dict)
    config_paths: list[str] = field(default_factory=list)
    providers: dict[str, Provider] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    blocked: list[Problem] = field(default_factory=list)
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
        for problem in (*self.problems, *self.blocked):
            if name in (problem.plugin, *_short_names(problem.provider.name)):
                return f"{kind}={name}: no such {kind}; {problem}"
        return no_such_name(kind, name, names)

    def find(self, kind: str, name: str) -> Registered | None:
        """The stage of `kind=name`, None if there is none; `UsageError` if there are several."""
        offered = [one for one in self.offered(kind) if one.stage.name == name]
        if len(offered) > 1:
            raise UsageError(
                f"{kind}={name} is the name of {offered[0]} and of {offered[1]}; give the class "
                "another name in @stage"
            )
        for one in offered:
            require_complete(one.stage)
        return offered[0] if offered else None

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

    def add(self, stage: type[Stage], plugin: str, provider: Provider) -> None:
        """Register a stage in its config groups; a name that is already taken becomes a problem."""
        for kind in _groups(stage):
            existing = self.stages[kind].get(stage.name)
            if existing is None:
                self.stages[kind][stage.name] = Registered(stage, provider)
            else:
                self._leave_out_taken(f"{kind}={stage.name}", existing.provider, plugin, provider)

    def add_command(self, command: Command, plugin: str, provider: Provider) -> None:
        """Register a command; a name that is already taken becomes a problem."""
        if command.name in self.built_in_commands:
            owner = Provider(BUILT_IN)
        elif command.name in self.commands:
            owner = self.commands[command.name].provider
        else:
            self.commands[command.name] = RegisteredCommand(command, provider)
            return
        self._leave_out_taken(f"command {command.name}", owner, plugin, provider)

    def add_statistic(self, statistic: Statistic, plugin: str, provider: Provider) -> None:
        """Register a statistic; a name that is already taken becomes a problem."""
        existing = self.statistics.setdefault(
            statistic.name, RegisteredStatistic(statistic, provider)
        )
        if existing.statistic is not statistic:
            self._leave_out_taken(
                f"statistic {statistic.name}", existing.provider, plugin, provider
            )

    def _leave_out_taken(self, name: str, owner: Provider, plugin: str, provider: Provider) -> None:
        reason = f"{name} is taken by {owner}; give it another name"
        self.leave_out(Problem(plugin, provider, reason))

    def leave_out(self, problem: Problem) -> None:
        """Add a problem; with `DEPTHMASK_STRICT_PLUGINS=1` raise it as `DepthmaskError`."""
        if os.environ.get("DEPTHMASK_STRICT_PLUGINS") == "1":
            raise DepthmaskError(str(problem))
        self.problems.append(problem)


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
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"; did you mean {prefix}{near[0]}? Available: " if near else "; available: "
    return meant + (", ".join(known) or "none")


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
    """The config groups of a stage: an estimator is also a geometry."""
    kind = getattr(stage, "kind", "")
    return (kind, "geometry") if issubclass(stage, Estimator) else (kind,)
