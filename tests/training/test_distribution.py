"""Which strategy is made of which devices; that it changes nothing in the mathematics is in `test_model.py`."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

from keras_pix2pix.training.distribution import strategy_for


@pytest.mark.parametrize(("devices", "replicas"), [(1, 1), (2, 2), ("2", 2), ("CPU:1", 1), ("CPU:0, CPU:1", 2)])
def test_a_number_or_names_of_devices(devices, replicas):
    strategy = strategy_for(devices)
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    assert strategy.num_replicas_in_sync == replicas


def test_named_devices_are_those():
    (device,) = strategy_for("CPU:1").extended.worker_devices
    assert device.endswith("CPU:1")


def test_without_devices_it_is_the_strategy_in_force(mirrored):
    assert strategy_for() is tf.distribute.get_strategy()
    with mirrored.scope():
        assert strategy_for() is mirrored


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ("GPU:7", "must be a number, or names among CPU:0, CPU:1. Received: GPU:7"),
        (0, "must be 1 or more"),
        ("all", "Received: all"),
        (3, "must be at most 2 now"),
    ],
)
def test_devices_that_are_not_there(devices, words):
    with pytest.raises(ValueError, match=words):
        strategy_for(devices)


def test_workers_use_the_devices_that_they_find(monkeypatch):
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(ValueError, match="CUDA_VISIBLE_DEVICES"):
        strategy_for(2)


def test_a_cpu_is_divided_while_there_is_time():
    program = (
        "from keras_pix2pix.training.distribution import strategy_for\n"
        "print(strategy_for(3).num_replicas_in_sync, strategy_for(2).num_replicas_in_sync)"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "3 2"
