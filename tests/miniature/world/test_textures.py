"""Ground textures: factors about 1, equal for equal random states, faded out where they would alias."""

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Setting
from dataset_dm.miniature.world.textures import ground_tone, soft_noise, water_slopes

X, Z = np.meshgrid(np.linspace(-3, 3, 64), np.linspace(2, 8, 48))
NEAR, FAR = np.full((48, 1), 0.01), np.full((48, 1), 50.0)


def tone(texture: str, pixel: np.ndarray, kind: str = "room", seed: int = 0) -> np.ndarray:
    setting = Setting(kind, (0.3, 0.3, 0.3), texture, 0.8)
    return ground_tone(setting, X, Z[:, :1], pixel, pixel, np.random.default_rng(seed))


@pytest.mark.parametrize("texture", ["tiles", "planks", "stripes", "blotches"])
def test_a_texture_shows_near_and_fades_far(texture: str) -> None:
    near = tone(texture, NEAR)
    assert near.shape == (48, 64) and near.std() > 0.01 and abs(near.mean() - 1) < 0.15
    assert tone(texture, FAR) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(near, tone(texture, NEAR)) and not np.array_equal(near, tone(texture, NEAR, seed=1))


def test_plain_ground_is_even() -> None:
    assert (tone("plain", NEAR) == 1).all()


def test_a_street_has_markings() -> None:
    street = tone("plain", NEAR, kind="street")
    assert street.max() > 1.1 and (street == 1).mean() > 0.3  # light lines on plain asphalt


def test_noise_and_waves_are_smooth_and_within_bounds() -> None:
    noise = soft_noise(X, Z, 1.0, np.random.default_rng(0))
    assert noise.shape == X.shape and np.abs(noise).max() <= 1.1 and noise.std() > 0.1
    assert np.abs(np.diff(noise, axis=1)).max() < 0.4
    waves = water_slopes(X, Z[:, :1], NEAR, np.random.default_rng(0))
    assert np.abs(waves).max() <= 1 and waves.std() > 0.1
    assert not water_slopes(X, Z[:, :1], FAR, np.random.default_rng(0)).any()
