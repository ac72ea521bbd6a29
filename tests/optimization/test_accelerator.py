"""An Accelerator computes on the device asked for."""

import torch

from dataset_dm.optimization.accelerator import own_accelerator


def test_the_device_is_the_one_asked_for() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    for device in ("cuda:1", "cpu"):
        accelerator, _ = own_accelerator(optimizer, torch.device(device), "fp32", 1)
        assert accelerator.device == torch.device(device)
