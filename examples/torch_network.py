"""A small PyTorch network for mask and depth, its losses, and an epoch that prints its speed."""

from __future__ import annotations

import time
from collections.abc import Iterable

import torch
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    """Images [n, 3, h, w] -> logits of the mask, and depth in metres, both [n, 1, h, w]."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.ReLU(),
        )
        self.heads = nn.Conv2d(2 * width, 2, 3, padding=1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The two maps, at the size of the image."""
        maps = functional.interpolate(
            self.heads(self.body(image)), image.shape[-2:], mode="bilinear", align_corners=False
        )
        return maps[:, :1], functional.softplus(maps[:, 1:])


def loss_of(network: Network, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy of the mask plus the error of log-depth where depth is known."""
    logits, depth_m = network(batch["image"])
    loss = functional.binary_cross_entropy_with_logits(logits, batch["mask"])
    if "depth" in batch:
        depth_m = functional.interpolate(depth_m, batch["depth"].shape[-2:])
        valid = batch["valid"]
        known, predicted = batch["depth"][valid], depth_m[valid]
        loss = loss + functional.l1_loss(torch.log(predicted + 1e-3), torch.log(known))
    return loss


def train_epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    loader: Iterable[dict[str, torch.Tensor]],
    title: str,
) -> None:
    """Train one epoch on the network's device; prints mean loss and samples/s."""
    device = next(network.parameters()).device
    start, total, samples = time.perf_counter(), 0.0, 0
    for cpu_batch in loader:
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in cpu_batch.items()}
        loss = loss_of(network, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch["image"])
        samples += len(batch["image"])
    seconds = time.perf_counter() - start
    print(f"{title}: loss {total / samples:.4f}, {samples / seconds:,.0f} samples/s", flush=True)
