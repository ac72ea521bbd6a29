"""Settings of the training-free annotator: checked at birth, named, without torch."""

import subprocess
import sys

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.models.attention_settings import AttentionSettings


def test_the_default_has_the_plain_name():
    usual = AttentionSettings()
    assert usual.name == "attention" and usual.to_dict() == {}
    assert AttentionSettings.from_name("attention") == usual == AttentionSettings.from_dict({})


def test_a_name_opens_the_same_settings_again():
    settings = AttentionSettings(power=1, timesteps=[50, 400], together=False, foreground=1)
    assert settings.name == 'attention:{"foreground":1.0,"power":1,"timesteps":[50,400],"together":false}'
    assert AttentionSettings.from_name(settings.name) == settings
    assert AttentionSettings.from_dict(settings.to_dict()) == settings


def test_the_fingerprint_is_that_of_the_values():
    usual = AttentionSettings()
    assert len(usual.fingerprint()) == 16 == len(set(usual.fingerprint()) | set("0123456789abcdef"))
    assert AttentionSettings(power=usual.power).fingerprint() == usual.fingerprint()
    assert AttentionSettings(foreground=1).fingerprint() == AttentionSettings(foreground=1.0).fingerprint()
    others = [{"power": 7}, {"timesteps": (1,)}, {"together": False}, {"edges": False}, {"presence": 0.9}]
    assert len({AttentionSettings(**other).fingerprint() for other in others} | {usual.fingerprint()}) == 6


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"powr": 2}, "unknown setting 'powr'; did you mean 'power'"),
        ({"power": -1}, "power: got -1, expected a whole number from 0 on"),
        ({"power": True}, "power: got True"),
        ({"timesteps": []}, "timesteps: got .., expected a list of at least one whole number"),
        ({"timesteps": 100}, "timesteps: got 100"),
        ({"timesteps": [1.5]}, "timesteps"),
        ({"together": 1}, "together: got 1, expected True or False"),
        ({"edges": "no"}, "edges: got 'no', expected True or False"),
        ({"foreground": 1.2}, "foreground: got 1.2, expected a number in 0..1"),
        ({"background": -0.1}, "background: got -0.1"),
        ({"presence": float("nan")}, "presence: got nan"),
        ({"background": 0.7, "foreground": 0.6}, "background: got 0.7, expected at most foreground"),
    ],
)
def test_bad_settings_are_one_line(values, said):
    with pytest.raises(ConfigError, match=said) as caught:
        AttentionSettings.from_dict(values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["attn", "attention:", "attention:[1]", "attention:{", "attention:2"])
def test_bad_names(name):
    with pytest.raises(ConfigError, match="expected attention or attention:"):
        AttentionSettings.from_name(name)


def test_it_loads_no_torch():
    code = "import sys, dataset_dm.models.attention_settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
