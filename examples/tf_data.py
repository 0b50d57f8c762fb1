"""Train a small network for mask and depth by Keras, fed by a `tf.data` pipeline.

python examples/tf_data.py OUT --epochs 2
"""

from __future__ import annotations

import argparse

from keras_network import Speed, network

import depthmask
from depthmask.adapters.tf import batches, for_fit


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="folder of a dataset")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()

    dataset = depthmask.open(options.dataset).split("train")
    data = batches(dataset, options.batch, shuffle=len(dataset), seed=0)
    (_, height, width, _), depth = data.element_spec["image"].shape, data.element_spec.get("depth")
    model = network((height, width), depth.shape[1:3] if depth is not None else None)
    model.fit(
        data.map(for_fit),
        shuffle=False,
        epochs=options.epochs,
        callbacks=[Speed(len(dataset))],
        verbose=0,
    )


if __name__ == "__main__":
    main()
