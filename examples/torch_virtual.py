"""Train a small network by PyTorch on samples that no disk ever sees.

python examples/torch_virtual.py source=assets source.root=DIR --epochs 2 --samples 10000
"""

from __future__ import annotations

import argparse

import torch
from torch.utils.data import DataLoader
from torch_network import Network, train_epoch

import depthmask
from depthmask.adapters.torch import Collate


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", nargs="*", help="as of `python -m depthmask`: NAME=VALUE ...")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--samples", type=int, default=10_000, help="in an epoch, all of them new")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_intermixed_args()

    dataset = depthmask.virtual([*options.settings, "samples=1000000000"])
    # Where a network has to look at the backgrounds: once, and here rather than in each worker.
    dataset.measure()
    network = Network().to("cuda" if torch.cuda.is_available() else "cpu")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for epoch in range(options.epochs):
        # Samples come in random order, so nothing has to be shuffled, and none is seen twice.
        new = dataset[epoch * options.samples : (epoch + 1) * options.samples]
        loader = DataLoader(
            new,
            batch_size=options.batch,
            num_workers=options.workers,
            collate_fn=Collate(dataset.contract),
        )
        train_epoch(network, optimizer, loader, f"epoch {epoch + 1}")


if __name__ == "__main__":
    main()
