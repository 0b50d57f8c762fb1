"""Stages with the mistakes that plugin authors make, each with the line that a run must end with.

`MISTAKES`: name -> (the wrong stage, a part of the line). All are in one module, so that the last
frame of their own code is named.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from depthmask import (
    AssetCatalogue,
    Background,
    BackgroundInstance,
    Composite,
    DepthContract,
    Encoded,
    FinishedSample,
    Float32,
    Foreground,
    Geometry,
    LabelCodec,
    LabelOutput,
    Labels,
    Layer,
    NoPlaceError,
    Patch,
    Scene,
    Size,
    Stage,
    UInt8,
    scaled_layer,
    stage,
)
from depthmask.engine.runner.local import Local
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.depth.layered import Layered
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.placement.random import Random
from depthmask.stages.source.rooms import Rooms
from depthmask.stages.writer.webdataset import WebDataset

MISTAKES: dict[str, tuple[type[Stage], str]] = {}


def _plant(line: str) -> Callable[[type[Any]], type[Any]]:
    """Make a stage of a class, named like it, that errs with this line."""

    def add(cls: type[Any]) -> type[Any]:
        name = cls.__name__.lower()
        made = stage(name)(cls)
        MISTAKES[name] = made, line
        return made

    return add


class FewRooms(Rooms):
    """Two rooms and four pieces of furniture."""

    def __post_init__(self) -> None:
        self.rooms, self.furniture, self.oversample = 2, 4, 1
        super().__post_init__()


class Tensor:
    """What a network's library returns instead of an array."""

    dtype = "float32"
    shape = (48, 64)


# Sources.


@_plant("background of room0000 returned image=uint8 [32, 32, 3]; expected uint8 [48, 64, 3]")
class Smaller(FewRooms):
    """Backgrounds of another size than the canvas."""

    def background(self, key: str, size: Size) -> Background:
        return super().background(key, (32, 32))


@_plant("background of room0000 returned image=float64 [48, 64, 3]; expected uint8 [48, 64, 3]")
class Unit(FewRooms):
    """Images in 0..1."""

    def background(self, key: str, size: Size) -> Background:
        one = super().background(key, size)
        return replace(one, image=one.image / 255)  # type: ignore[arg-type]


@_plant("background of room0000 returned image=a Tensor; expected uint8 [48, 64, 3]")
class Tensors(FewRooms):
    """Images of another library."""

    def background(self, key: str, size: Size) -> Background:
        return replace(super().background(key, size), image=Tensor())  # type: ignore[arg-type]


@_plant("background returned the key 'other'; expected 'room0000', as asked for")
class Renaming(FewRooms):
    """Another key than was asked for."""

    def background(self, key: str, size: Size) -> Background:
        return replace(super().background(key, size), key="other")


@_plant("background of room0000 returned depth_m that is negative or not finite; use 0")
class Holes(FewRooms):
    """NaN where depth is unknown."""

    def background(self, key: str, size: Size) -> Background:
        one = super().background(key, size)
        assert one.depth_m is not None
        return replace(one, depth_m=np.where(one.depth_m > 3, np.float32(np.nan), one.depth_m))


@_plant(
    "background of room0000 returned an instance of 48 x 64 pixels at (1, 0); expected it on the "
    "canvas of 48 x 64"
)
class Shifted(FewRooms):
    """An instance that reaches beyond the canvas."""

    def background(self, key: str, size: Size) -> Background:
        one = BackgroundInstance("wall", np.ones(size, bool), top=1)
        return replace(super().background(key, size), instances=(one,))


@_plant("background returned a tuple; expected a Background")
class Pairs(FewRooms):
    """The image alone."""

    def background(self, key: str, size: Size) -> Any:
        return key, super().background(key, size).image


@_plant("backgrounds returned the key 'room0001' twice; expected each once")
class Twice(FewRooms):
    """A key twice."""

    def backgrounds(self) -> Sequence[str]:
        return [*super().backgrounds(), "room0001"]


@_plant("foregrounds returned the key 'x/../../a'; expected a text of one line that stays in its")
class Climbing(FewRooms):
    """Keys that leave their folder."""

    def foregrounds(self) -> Sequence[str]:
        return ["x/../../a"]


@_plant("backgrounds returned the key 3; expected a text")
class Numbers(FewRooms):
    """Numbers as keys."""

    def backgrounds(self) -> Any:
        return [3, 4]


@_plant("backgrounds returned no key; expected at least one")
class Empty(FewRooms):
    """No backgrounds."""

    def backgrounds(self) -> Sequence[str]:
        return []


@_plant("check returned None; expected an AssetCatalogue")
class Silent(FewRooms):
    """A check that forgets to return."""

    def check(self, size: Size) -> Any:
        super().check(size)


@_plant("ZeroDivisionError: division by zero (in check, mistakes.py:")
class Dividing(FewRooms):
    """A check that fails."""

    def check(self, size: Size) -> AssetCatalogue:
        _ = 1 / len(())
        return super().check(size)


@_plant(" returned label=None; expected a text of one line")
class Unlabelled(FewRooms):
    """Cut-outs without a label."""

    def foreground(self, key: str, size: Size) -> Foreground:
        return replace(super().foreground(key, size), label=None)  # type: ignore[arg-type]


@_plant(" returned rgba=uint8 [")
class Opaque(FewRooms):
    """Cut-outs without alpha."""

    def foreground(self, key: str, size: Size) -> Foreground:
        one = super().foreground(key, size)
        return replace(one, rgba=np.ascontiguousarray(one.rgba[..., :3]))


@_plant(" returned no visible pixel; expected some alpha above 16 of 255")
class Invisible(FewRooms):
    """Cut-outs whose alpha is 0."""

    def foreground(self, key: str, size: Size) -> Foreground:
        one = super().foreground(key, size)
        return replace(one, rgba=one.rgba * np.array([1, 1, 1, 0], np.uint8))


@_plant("returned height_m=0; expected metres above 0, or None")
class Flat(FewRooms):
    """Heights of 0 where they are unknown."""

    def foreground(self, key: str, size: Size) -> Foreground:
        return replace(super().foreground(key, size), height_m=0)


@_plant("ModuleNotFoundError: No module named 'a_library_that_is_absent' (in foreground,")
class Absent(FewRooms):
    """A library that is not installed."""

    def foreground(self, key: str, size: Size) -> Foreground:
        importlib.import_module("a_library_that_is_absent")
        return super().foreground(key, size)


@_plant("SystemExit: 5 (in background, mistakes.py:")
class Leaving(FewRooms):
    """A library that ends the process."""

    def background(self, key: str, size: Size) -> NoReturn:
        sys.exit(5)


@_plant("FileNotFoundError: [Errno 2] No such file or directory: 'gone.jpg' (in background,")
class Gone(FewRooms):
    """A file that was removed."""

    def background(self, key: str, size: Size) -> Background:
        Path("gone.jpg").read_bytes()
        return super().background(key, size)


@_plant("check returned other files than a mapping from kinds to AssetFiles")
class Fileless(FewRooms):
    """None instead of an empty mapping."""

    def check(self, size: Size) -> AssetCatalogue:
        return replace(super().check(size), files=None)  # type: ignore[arg-type]


@_plant("check returned other licences than a mapping from kinds to numbers by licence")
class Licensed(FewRooms):
    """Names of licences without numbers."""

    def check(self, size: Size) -> AssetCatalogue:
        return replace(super().check(size), licences={"backgrounds": ["CC0"]})  # type: ignore[dict-item]


@_plant("check returned other left_out than a sequence of LeftOut")
class LeavingOut(FewRooms):
    """Names instead of what is left out, and why."""

    def check(self, size: Size) -> AssetCatalogue:
        return replace(super().check(size), left_out=["bad.jpg"])  # type: ignore[arg-type]


@_plant("has_depth returned None; expected True or False")
class Undecided(FewRooms):
    """Nothing is returned."""

    def has_depth(self, key: str) -> Any:
        super().has_depth(key)


# Geometries.


class Own(Geometry):
    """Depth of its own, 2 m everywhere."""

    def contract(self, size: Size, known: float) -> DepthContract | None:
        return SourceGeometry().contract(size, known)

    def needs_measuring(self, has_depth: bool) -> bool:
        return True

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        return [
            replace(one, depth_m=np.full(one.image.shape[:2], 2, np.float32), guessed=True)
            for one in backgrounds
        ]


@_plant("measure returned None; expected a list of 1 backgrounds, as it was given")
class Forgetting(Own):
    """Nothing is returned."""

    def measure(self, backgrounds: Sequence[Background]) -> Any:
        super().measure(backgrounds)


@_plant("measure returned a list; expected a list of 1 backgrounds, as it was given")
class Losing(Own):
    """The last background is lost."""

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        return super().measure(backgrounds)[:-1]


@_plant("measure of room0000 returned depth_m that is negative or not finite; use 0")
class Undefined(Own):
    """A map with NaN."""

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        measured = super().measure(backgrounds)
        for one in measured:
            assert one.depth_m is not None
            one.depth_m[3, 3] = np.nan
        return measured


@_plant("measure of room0000 returned depth_m=float64 [48, 64]; expected float32 [48, 64], or None")
class Doubles(Own):
    """Depth in float64."""

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        return [
            replace(one, depth_m=np.full(one.image.shape[:2], 2.0), guessed=True)
            for one in backgrounds
        ]


@_plant("ValueError: assignment destination is read-only (in measure, mistakes.py:")
class Scribbling(Own):
    """Writes into the image."""

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        backgrounds[0].image[:] = 0
        return super().measure(backgrounds)


@_plant("contract returned a dict; expected a DepthContract, or None")
class Loose(Own):
    """A contract as a dict."""

    def contract(self, size: Size, known: float) -> Any:
        return {"unit": "m", "near": 0.1, "far": 10}


# Placements.


@_plant("place returned None; expected a Layer")
class Nowhere(Random):
    """Nothing is returned."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Any:
        super().place(scene, foreground, flip, rng)


@_plant("ValueError: assignment destination is read-only (in place, mistakes.py:")
class Blackening(Random):
    """Writes into the background."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        scene.background.image[:] = 0
        return super().place(scene, foreground, flip, rng)


class Changing(Random):
    """Changes fields of the layer."""

    def change(self, layer: Layer) -> Layer:
        return layer

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        return self.change(super().place(scene, foreground, flip, rng))


@_plant("place returned a box (1.5, ")
class Halves(Changing):
    """A box between pixels."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, top=1.5)  # type: ignore[arg-type]


@_plant("place returned a box of 1000000 x 1000000 pixels; expected at most 33,554,432")
class Huge(Changing):
    """A box that takes terabytes."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, top=0, left=0, height=10**6, width=10**6)


@_plant("place returned a box of 0 x ")
class Vanishing(Changing):
    """A box without rows."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, height=0)


@_plant("with the label None; expected ")
class Nameless(Changing):
    """A layer without its label."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, label=None)  # type: ignore[arg-type]


@_plant("place returned a layer of 'other' with the label ")
class Swapping(Changing):
    """A layer of another foreground."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, foreground="other")


@_plant("place returned depth_m=nan; expected metres, or None")
class Unknown(Changing):
    """NaN for an unknown depth."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, depth_m=float("nan"))


@_plant("place returned flip=None; expected True or False")
class Unsure(Changing):
    """A flip that was not decided."""

    def change(self, layer: Layer) -> Layer:
        return replace(layer, flip=None)  # type: ignore[arg-type]


@_plant('TypeError: can only concatenate str (not "int") to str (in place, mistakes.py:')
class Mixing(Random):
    """A mistake of types."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        return scaled_layer(foreground, top=foreground.key + 1, left=0, scale=1, flip=flip)  # type: ignore[operator]


@_plant("IndexError: list index out of range (in arrange, mistakes.py:")
class Outside(Random):
    """An arrangement that fails."""

    def arrange(self, scene: Scene, rng: np.random.Generator) -> Any:
        return [][len(scene.layers)]


@_plant("no grid fits (nor with 30 other draws)")
class Refusing(Random):
    """No position for anything."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        raise NoPlaceError("no grid fits")


# Blends.


@_plant("blend returned None; expected True, or False for a simpler method")
class Mute(Alpha):
    """Nothing is returned."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> Any:
        super().blend(canvas, patch, top, left)


@_plant("blend changed pixels outside of the patch, which is ")
class Spilling(Alpha):
    """A border around everything."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        done = super().blend(canvas, patch, top, left)
        canvas[0] ^= 255
        canvas[-1] ^= 255
        return done


@_plant("ValueError: output array is read-only (in blend, mistakes.py:")
class Premultiplying(Alpha):
    """Writes into the patch, which other samples use."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        np.multiply(patch.rgb, 1, out=patch.rgb)
        return super().blend(canvas, patch, top, left)


@_plant("(in blend, mistakes.py:")
class Floating(Alpha):
    """OpenCV gets a mask of floats."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        import cv2

        cv2.seamlessClone(patch.rgb, canvas, patch.alpha / 255, (5, 5), cv2.NORMAL_CLONE)
        return True


# Depths.


class Remapping(Layered):
    """Changes each map."""

    def change(self, depth: Float32) -> Any:
        return depth

    def annotate(self, composites: Sequence[Composite]) -> Any:
        return [self.change(depth.copy()) for depth in super().annotate(composites)]


@_plant("annotate returned a map of float64 [48, 64]; the contract of source is float32 [48, 64]")
class Precise(Remapping):
    """Depth in float64."""

    def change(self, depth: Float32) -> Any:
        return depth.astype(np.float64)


@_plant("annotate returned a map of uint8 [48, 64]; the contract of source is float32 [48, 64]")
class Bytes(Remapping):
    """Depth in 256 steps."""

    def change(self, depth: Float32) -> Any:
        return (depth * 10).astype(np.uint8)


@_plant("annotate returned a map of a Tensor; the contract of source is float32 [48, 64]")
class Foreign(Remapping):
    """Tensors of another library."""

    def change(self, depth: Float32) -> Any:
        return Tensor()


@_plant("annotate returned a map with values that are not finite")
class Infinite(Remapping):
    """Infinity for the sky."""

    def change(self, depth: Float32) -> Any:
        depth[0, 0] = np.inf
        return depth


@_plant("annotate returned a map of float32 [24, 32]; the contract of source is float32 [48, 64]")
class Half(Remapping):
    """Half the resolution."""

    def change(self, depth: Float32) -> Any:
        return np.ascontiguousarray(depth[::2, ::2])


@_plant("annotate returned no map; its contract promises one")
class Without(Remapping):
    """None in spite of a contract."""

    def change(self, depth: Float32) -> Any:
        return None


@_plant("annotate returned 0 maps for 1 composites; expected one for each")
class Fewer(Remapping):
    """Maps are lost."""

    def annotate(self, composites: Sequence[Composite]) -> Any:
        return super().annotate(composites)[1:]


@_plant("ValueError: assignment destination is read-only (in annotate, mistakes.py:")
class Normalizing(Layered):
    """Writes into the composite."""

    def annotate(self, composites: Sequence[Composite]) -> Any:
        composites[0].image[:] = 0
        return super().annotate(composites)


@_plant("batch_size returned 0; expected a whole number of at least 1")
class Batchless(Layered):
    """No composite in a batch."""

    @property
    def batch_size(self) -> int:
        return 0


@_plant("ValueError: depth contract of source: 9..0.5 with 0 for invalid; it has to be 0 < near")
class Reversed(Layered):
    """Near is farther than far."""

    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract:
        return replace(super().contract(size, geometry), near=9, far=0.5)


# Labels.


class Grey(Labels):
    """A grey picture."""

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return [LabelOutput("grey", LabelCodec.png, "grey levels", 100)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"grey": sample.composite.image[..., 0]}


@_plant("label returned None; expected a mapping with ['grey']")
class Unwritten(Grey):
    """Nothing is returned."""

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Any:
        super().label(sample, rng)


@_plant("label returned ['gray']; expected ['grey'], as declared")
class Misspelt(Grey):
    """Another name than was declared."""

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"gray": sample.composite.image[..., 0]}


@_plant("grey: float64 [48, 64]; codec png stores uint8 or uint16 [h, w], or uint8 [h, w, 3]")
class Fraction(Grey):
    """Grey levels in 0..1."""

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"grey": sample.composite.image[..., 0] / 255}


@_plant("outputs returned a dict; expected a list of LabelOutput")
class Declaring(Grey):
    """A declaration of another form."""

    def outputs(self, size: Size, contract: DepthContract | None) -> Any:
        return {"grey": LabelCodec.png}


@_plant("ValueError: 'depth' cannot be the name of a label; use small letters")
class Taken(Grey):
    """A name that depthmask uses itself."""

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return [LabelOutput("depth", LabelCodec.png, "depth", 100)]


@_plant("ValueError: assignment destination is read-only (in label, mistakes.py:")
class Painting(Grey):
    """Writes into the sample."""

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        sample.composite.mask[:] = 255
        return super().label(sample, rng)


@_plant("ValueError: label grey: bytes=None must be a number of bytes (in outputs, mistakes.py:")
class Unestimated(Grey):
    """No estimate of the size."""

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return [LabelOutput("grey", LabelCodec.png, "grey levels", None)]  # type: ignore[arg-type]


@_plant("ValueError: label grey: codec='png' must be a LabelCodec (in outputs, mistakes.py:")
class Texted(Grey):
    """A codec as a text."""

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return [LabelOutput("grey", "png", "grey levels", 100)]  # type: ignore[arg-type]


# Writers.


@_plant("write returned None; expected a mapping from members to their byte ranges, or {}")
class Wordless(WebDataset):
    """Nothing is returned."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        super().write(folder, shard, count, samples)


@_plant("write took 1 samples of 2; expected all")
class Stopping(WebDataset):
    """The last sample is lost."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        first = [next(iter(samples))]
        return super().write(folder, shard, count, first)


@_plant("write wrote no file; expected at least one")
class Idle(WebDataset):
    """No file is written."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        list(samples)
        return {}


@_plant("write made no usable shard: a member beyond the end of its file")
class Beyond(WebDataset):
    """Offsets beyond the end of the file."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        members = super().write(folder, shard, count, samples)
        return {
            name: [(file, offset + 10**6, size) for file, offset, size in ranges]
            for name, ranges in members.items()
        }


@_plant("read of sample 000000000 returned the JSON of '000000001'; expected that of this sample")
class Backwards(WebDataset):
    """The samples in another order."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        return super().write(folder, shard, count, list(samples)[::-1])


@_plant("read of sample 000000000 returned another image than was written: uint8 [48, 64, 3]")
class Darkening(WebDataset):
    """Another image than it was given."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        samples = list(samples)
        image = samples[-1].members["jpg"]
        mixed = [replace(one, members={**one.members, "jpg": image}) for one in samples]
        return super().write(folder, shard, count, mixed)


@_plant("KeyError: 'index' (in read, mistakes.py:")
class Unreadable(WebDataset):
    """Shards that it cannot read itself."""

    def read(self, folder: Any, record: Any) -> Any:
        return dict[str, Any]()["index"]


@_plant("write wrote 'data.tar'; expected a name that begins with 'train-000000'")
class Overwriting(WebDataset):
    """One name for the files of all shards."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        return super().write(folder, "data", count, samples)


# Runners.


@_plant("run returned None; expected the record of a shard")
class Yielding(Local):
    """No records."""

    def run(self, job: Any, shards: Collection[Any], made: Callable[[int], None]) -> Iterator[Any]:
        for _ in super().run(job, shards, made):
            yield None


@_plant("RuntimeError: the cluster is gone (in run, mistakes.py:")
class Failing(Local):
    """A cluster that is gone."""

    def run(self, job: Any, shards: Collection[Any], made: Callable[[int], None]) -> Iterator[Any]:
        yield from super().run(job, list(shards)[:1], made)
        raise RuntimeError("the cluster is gone")
