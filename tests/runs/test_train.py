"""What the machine decides of a run."""

import pytest
import tensorflow as tf

from keras_pix2pix.runs.train import _faster_on_gpus

ALONE = tf.distribute.get_strategy()


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])


@pytest.mark.parametrize(
    ("config", "steps", "together"),
    [
        ({}, 400, 10),
        ({}, 84, 7),
        ({}, 53, 1),
        ({}, 6, 6),
        ({"checkpoint_every": 2000}, 400, 10),
        ({"checkpoint_every": 4}, 400, 4),
        ({"checkpoint_every": 3}, 400, 1),
    ],
)
@pytest.mark.usefixtures("gpu")
def test_steps_go_together_on_a_gpu_where_nothing_comes_between_them(config, steps, together):
    assert _faster_on_gpus(config, steps, ALONE) == {"compile.steps_per_execution": together}


def test_a_cpu_changes_nothing():
    assert _faster_on_gpus({}, 400, ALONE) == {}


@pytest.mark.usefixtures("gpu")
def test_a_deterministic_run_is_not_compiled_by_xla():
    assert _faster_on_gpus({"deterministic": True}, 400, ALONE) == {"compile.jit_compile": False}


@pytest.mark.usefixtures("gpu")
def test_several_gpus_change_nothing():
    class Two:
        num_replicas_in_sync = 2

    assert _faster_on_gpus({}, 400, Two()) == {}
