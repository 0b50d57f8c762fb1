"""Makes a stage from one decorated class: its code, its config schema and its documentation.

    @stage("grid")
    class Grid(Placement):
        "Cells of a regular grid."
        rows: int = setting(4, ge=1, help="rows of cells")

`@stage` makes a keyword-only dataclass whose fields are the settings. OmegaConf takes the schema
from the field types; `depthmask plugins` and `--help` show the docstring and the help texts.
"""

from depthmask.stage.base import Lookup, Stage
from depthmask.stage.decorators import settings, stage
from depthmask.stage.describe import SettingInfo, describe_settings
from depthmask.stage.setting import Limits, setting

__all__ = [
    "Limits",
    "Lookup",
    "SettingInfo",
    "Stage",
    "describe_settings",
    "setting",
    "settings",
    "stage",
]
