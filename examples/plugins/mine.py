"""mine.py: a placement, and the command line with it."""

import sys

import numpy as np

import depthmask
from depthmask.cli.main import main


@depthmask.stage("mine")
class Mine(depthmask.Placement):
    """Always in the top left corner."""

    margin: int = depthmask.setting(4, ge=0, help="pixels from the edges")

    def place(
        self,
        scene: depthmask.Scene,
        foreground: depthmask.Foreground,
        flip: bool,
        rng: np.random.Generator,
    ) -> depthmask.Layer:
        """Propose a box of half the size."""
        return depthmask.scaled_layer(
            foreground, top=self.margin, left=self.margin, scale=0.5, flip=flip
        )


if __name__ == "__main__":
    print(depthmask.virtual(["placement=mine", "placement.margin=8"])[0].meta["layers"])
    sys.exit(main())
