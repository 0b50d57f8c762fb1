"""How each command of depthmask is used."""

from __future__ import annotations

from depthmask.cli.usage.page import ANY, Option, Page, Word
from depthmask.engine.inputs.settings import ACCEPTED

_OUT = Word("OUT", "folder of a dataset, or its address in an object store")
INPUT = Word(
    "INPUT", "a dataset, photographs (folder, file or pattern), or files of DepthMaskDataset",
    takes_files=True,
)  # fmt: skip
_ASSETS = Option(
    "source.root=", "the folder of the assets, if it has moved", "FOLDER", is_path=True
)
_CONFIG_DIR = Option(
    "--config-dir", "folder with YAML presets of yours, such as preset/mine.yaml", "FOLDER",
    short="-cd", is_path=True,
)  # fmt: skip
_CONFIG_NAME = Option(
    "--config-name", "config in that folder to start from, instead of the defaults", "NAME",
    short="-cn",
)  # fmt: skip
_SKIP_DAMAGED = Option("--skip-damaged", "leave out photographs that cannot be decoded")
_DRY_RUN = Option("--dry-run", "say what would be made, and write nothing")

PAGES = {
    "run": Page(
        options=(
            _DRY_RUN,
            Option("--multirun", "make a dataset for each combination of values", short="-m"),
            _CONFIG_DIR,
            _CONFIG_NAME,
            Option(
                "--cfg",
                "print the whole config; saved as a YAML file it makes the same dataset",
                "PART",
                short="-c",
                choices=("job", "hydra", "all"),
            ),
            Option("--package", "with --cfg: print one group of settings", "GROUP", short="-p"),
            Option(
                "--info",
                "print what Hydra knows, such as searchpath",
                "TOPIC",
                short="-i",
                choices=("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
            ),
        ),
        settings=(ANY,),
        about="The same command goes on where an earlier run was interrupted; with a larger "
        "samples= it makes the dataset longer. `python -m depthmask --help` lists every stage and "
        "setting.",
        examples=(
            "placement=ground 'objects=[1,3]' samples=1000",
            "-m placement=random,grid writer=zip,npz",
        ),
    ),
    "resume": Page(
        words=(_OUT,),
        options=(_DRY_RUN, _ASSETS),
        settings=("runner", "progress"),
        about="The settings come from OUT/plan.json, so no other can be changed.",
        examples=("resume OUT", "resume OUT runner.workers=2"),
    ),
    "extend": Page(
        words=(_OUT,),
        options=(_DRY_RUN, _ASSETS),
        settings=("samples", "runner", "progress"),
        required=("samples=N",),
        about="The samples that are there do not change. All other settings come from "
        "OUT/plan.json.",
        examples=("extend OUT samples=600", "extend OUT samples=600 runner.workers=2"),
    ),
    "repeat": Page(
        words=(_OUT,),
        options=(_DRY_RUN, _CONFIG_DIR),
        settings=(ANY,),
        required=("output=OUT2",),
        about="The settings come from OUT/plan.json, and the words after it change some. Another "
        "stage, as by placement=grid, begins with its own defaults. A dataset by annotate or "
        "convert is made again from its input.",
        examples=("repeat OUT output=COPY", "repeat OUT output=GRID placement=grid seed=1"),
    ),
    "plugins": Page(
        options=(
            Option(
                "--verbose",
                "add the time that each plugin takes to load, and check its presets",
                short="-v",
            ),
            _CONFIG_DIR,
        ),
        examples=("plugins", "plugins --config-dir PRESETS"),
    ),
    "render": Page(
        words=(_OUT,),
        options=(
            Option("--index", "number of the sample", "N", int, is_required=True),
            Option("--into", "folder for the files; default: OUT-render", "FOLDER", is_path=True),
            _ASSETS,
        ),
        examples=("render OUT --index 5", "render OUT --index 123 --into SAMPLE"),
    ),
    "stats": Page(
        words=(_OUT,),
        options=(Option("--json", "print the statistics as JSON"),),
        examples=("stats OUT", "stats OUT --json"),
    ),
    "report": Page(
        words=(_OUT,),
        options=(
            Option("--into", "path of the page; default: OUT/report.html", "FILE", is_path=True),
        ),
        about="It needs vl-convert-python: pip install '.[report]'.",
        examples=("report OUT", "report OUT --into report.html"),
    ),
    "verify": Page(
        words=(_OUT,),
        options=(Option("--repair", "make damaged and missing files again"), _ASSETS),
        about="The exit code is 1 if something is wrong.",
        examples=("verify OUT", "verify OUT --repair"),
    ),
    "pictures": Page(
        words=(_OUT,),
        options=(
            Option("--into", "folder for the files; default: OUT-pictures", "FOLDER", is_path=True),
            Option("--count", "number of samples; default: all", "N", int),
            Option("--near", "depth shown in red; default: measured", "DEPTH", float),
            Option("--far", "depth shown in blue; default: measured", "DEPTH", float),
        ),
        examples=("pictures OUT --count 20", "pictures OUT --near 1 --far 8 --into COLOURS"),
    ),
    "prepare": Page(
        options=(_DRY_RUN,),
        settings=(ANY,),
        required=("source.root=DIR", "output=OUT"),
        about="It writes bg/, fg/, fg_mask/, bg_depth/ and assets.csv at the size that a run uses.",
        examples=(
            "prepare source.root=DIR output=PREPARED",
            "prepare source.root=DIR output=LARGE 'size=[240,320]'",
        ),
    ),
    "annotate": Page(
        words=(INPUT,),
        options=(_DRY_RUN, _SKIP_DAMAGED),
        settings=ACCEPTED["annotate"],
        required=("depth=NAME", "output=OUT2"),
        about="Images and masks are copied byte for byte.",
        examples=(
            "annotate OUT depth=fastdepth output=DEPTH",
            "annotate OUT depth=fastdepth depth.batch=4 output=DEPTH4",
        ),
    ),
    "convert": Page(
        words=(INPUT,),
        options=(_DRY_RUN, _SKIP_DAMAGED),
        settings=ACCEPTED["convert"],
        required=("writer=NAME", "output=OUT2"),
        about="Files of samples are copied byte for byte where format and settings allow it.",
        examples=(
            "convert OUT writer=npz output=NPZ",
            "convert OUT encode.depth=compact output=COMPACT",
        ),
    ),
    "evaluate": Page(
        options=(
            Option(
                "on=",
                "RGB-D pairs (NAME.rgb.jpg and NAME.depth_mm.png), or a dataset",
                "FOLDER",
                is_required=True,
                is_path=True,
            ),
            Option("images=", "samples of a dataset to compare; default: 500", "N"),
            Option("json=", "also write the scores as JSON", "FILE", is_path=True),
        ),
        settings=("depth",),
        required=("depth=NAME",),
        examples=(
            "evaluate depth=fastdepth on=FOLDER",
            "evaluate depth=fastdepth on=OUT images=20 json=scores.json",
        ),
    ),
    "new-plugin": Page(
        words=(
            Word(
                "KIND",
                "config group of the stage",
                ("source", "geometry", "placement", "blend", "depth", "labels", "writer", "runner"),
                is_path=False,
            ),
            Word("NAME", "name of the stage, such as my_stage", is_path=False),
        ),
        options=(
            Option("--into", "parent folder of the package; default: here", "FOLDER", is_path=True),
        ),
        examples=("new-plugin placement my_thing", "new-plugin depth my_depth --into PLUGINS"),
    ),
    "tune": Page(
        options=(
            Option(
                "batches=", "with a network: its batch sizes; default: 1,2,4,8,16,32,64", "N,N,..."
            ),
        ),
        settings=(ANY,),
        about="With a network that estimates depth, its images a second and its memory by batch "
        "size. Else samples a second of the run as it is configured, and with other workers and "
        "settings of encode; samples are made and encoded, not written.",
        examples=("tune 'size=[480,640]'", "tune depth=fastdepth batches=1,2,4"),
    ),
    "store": Page(
        options=(Option("--clear", "remove all entries; later runs make them again"),),
        about="Prepared assets and what is derived from them are kept in the cache folder, which "
        "DEPTHMASK_CACHE names. runner.store_gb limits their size.",
        examples=("store", "store --clear"),
    ),
    "completion": Page(
        words=(Word("SHELL", "bash, zsh or fish", ("bash", "zsh", "fish"), is_path=False),),
        about='For bash: eval "$(python -m depthmask completion bash)". It completes both '
        "`depthmask` and `python -m depthmask`.",
        examples=("completion bash", "completion fish"),
    ),
    "help": Page(
        words=(
            Word(
                "[TOPIC]",
                "a command, a config group or a stage; default: all of them",
                is_path=False,
            ),
        ),
        examples=("help verify", "help placement=grid"),
    ),
}
"""Command -> its page, in the order of `COMMANDS`."""
