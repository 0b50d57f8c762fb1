"""Train a small network for mask and depth by PyTorch, from a dataset on disk.

python examples/torch_loader.py OUT --epochs 2 --workers 2
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
    parser.add_argument("dataset", help="folder of a dataset")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    dataset = depthmask.open(options.dataset).split("train")
    loader = DataLoader(
        dataset,
        batch_size=options.batch,
        shuffle=True,
        num_workers=options.workers,
        collate_fn=Collate(dataset.contract),
    )
    network = Network().to("cuda" if torch.cuda.is_available() else "cpu")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for epoch in range(options.epochs):
        train_epoch(network, optimizer, loader, f"epoch {epoch + 1}")


if __name__ == "__main__":
    main()
