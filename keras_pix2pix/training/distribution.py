"""Which devices to train on: one, several in this machine, or several machines."""

import contextlib
from typing import Any

import tensorflow as tf

from keras_pix2pix.training.cluster import addresses, own_index, worker_count
from keras_pix2pix.training.meeting import meet

__all__ = ["strategy_for"]


def strategy_for(devices: int | str | None = None, *, same: Any = None) -> tf.distribute.Strategy:
    """The `tf.distribute` strategy for some devices of this machine, or for the workers that TF_CONFIG names.

    Call it once in a process, before TensorFlow has computed anything.

    Args:
        devices: How many devices of this machine to train on, or their names, such as "GPU:0,GPU:2". A number means
            the first GPUs, or on a machine without GPUs parts of the CPU, for trying things out: they are no faster.
            Default: TensorFlow's choice.
        same: With several workers, any JSON value that must be equal on all of them, such as their arguments. Defaults
            to None.

    Returns:
        `MultiWorkerMirroredStrategy` if TF_CONFIG names more than one worker, `MirroredStrategy` for devices, otherwise
        the current strategy.

    Raises:
        ValueError: Devices that don't exist, a CPU that TensorFlow already uses, and so can't divide, devices
            together with workers, an invalid TF_CONFIG, a port in use, or workers that differ in `same`.

    Example:

    ```python
    from keras_pix2pix import Pix2Pix, strategy_for

    with strategy_for(devices=1).scope():
        model = Pix2Pix.from_preset("paper", image_shape=(64, 64, 3))
    ```
    """
    if worker_count() > 1:
        if devices is not None:
            raise ValueError(
                "With several workers in TF_CONFIG, each uses the devices that TensorFlow finds. "
                f"Received: devices={devices!r}. Leave it out; CUDA_VISIBLE_DEVICES says which GPUs a worker sees."
            )
        meet(addresses(), own_index(), same)
        return tf.distribute.MultiWorkerMirroredStrategy()
    if devices is None:
        return tf.distribute.get_strategy()
    names = _devices(devices)
    on_cpu = any(name.startswith("CPU") for name in names)
    # The default reduction is for GPUs, and hangs when one process makes a second strategy of the same CPU devices.
    return tf.distribute.MirroredStrategy(names, tf.distribute.ReductionToOneDevice() if on_cpu else None)


def _devices(devices):
    if not str(devices).isdigit():
        names = [name.strip() for name in str(devices).split(",")]
        found = [name for kind in ("GPU", "CPU") for name in _logical(kind)]
        if unknown := sorted(set(names) - set(found)):
            raise ValueError(
                f"`devices` must be a number, or names among {', '.join(found)}. Received: {', '.join(unknown)}."
            )
        return names
    count = int(devices)
    if count < 1:
        raise ValueError(f"`devices` must be 1 or more. Received: {devices}.")
    if not tf.config.list_physical_devices("GPU"):
        return _parts_of_the_cpu(count)
    gpus = _logical("GPU")
    if count > len(gpus):
        raise ValueError(f"`devices` must be at most {len(gpus)}, the GPUs of this machine. Received: {devices}.")
    return gpus[:count]


def _parts_of_the_cpu(count):
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or [cpu]) < count:
        with contextlib.suppress(RuntimeError):  # TensorFlow has started; the message below says so.
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    names = _logical("CPU")
    if len(names) < count:
        raise ValueError(
            f"`devices` must be at most {len(names)} now: TensorFlow already uses the CPU, which can't be divided "
            f"after that. Received: {count}. Call `strategy_for` before anything else."
        )
    return names[:count]


def _logical(kind):
    return [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices(kind)]
