"""Train a small network for mask and depth by Keras, on any backend, from a dataset on disk.

python examples/keras_fit.py OUT --epochs 2
"""

from __future__ import annotations

import argparse

from keras_network import Speed, network

import depthmask
from depthmask.adapters.keras import Batches


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="folder of a dataset")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2, help="threads that read")
    options = parser.parse_args()

    dataset = depthmask.open(options.dataset).split("train")
    height, width, _ = dataset[0].image.shape
    contract = dataset.contract
    model = network((height, width), contract.resolution if contract else None)
    model.fit(
        Batches(dataset, options.batch, shuffle=True, workers=options.workers),
        epochs=options.epochs,
        callbacks=[Speed(len(dataset))],
        verbose=0,
    )


if __name__ == "__main__":
    main()
