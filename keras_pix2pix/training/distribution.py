"""On what training runs: one device, several of a machine, several machines."""

import contextlib

import tensorflow as tf

from keras_pix2pix.training.cluster import addresses, own_index, worker_count
from keras_pix2pix.training.meeting import meet


def strategy_for(devices=None, *, same=None):
    """The `tf.distribute` strategy for some devices of this machine, or for the workers that TF_CONFIG names.

    Call it once in a process, before TensorFlow has computed anything.

    Args:
        devices: How many devices of this machine to train on, or their names, such as "GPU:0,GPU:2". A number stands
            for the first GPUs; on a machine without, for parts of the CPU, which is a way to try things out and no
            faster. Default: TensorFlow's choice.
        same: With several workers, what must be equal on all of them, such as their arguments, as far as JSON can
            write it. Defaults to None.

    Returns:
        `MultiWorkerMirroredStrategy` if TF_CONFIG names more than one worker, `MirroredStrategy` for devices, and else
        the strategy in force.

    Raises:
        ValueError: Devices that aren't there, too late to divide the CPU, devices together with workers, a TF_CONFIG
            that is not one of workers, a port that is taken, or workers that differ in `same`.

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
    # What is made for GPUs hangs when one process makes a second strategy of the same devices.
    return tf.distribute.MirroredStrategy(names, tf.distribute.ReductionToOneDevice() if on_cpu else None)


def logs_of_all_workers(logs):
    """What `train_step` and `test_step` return, as Keras wants it of the strategy in force."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return logs
    workers = sum(map(len, strategy.cluster_resolver.cluster_spec().as_dict().values()))
    return {name: value[None] for name, value in logs.items()} if workers > 1 else logs


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
        with contextlib.suppress(RuntimeError):  # Too late: what there is is all there will be.
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    names = _logical("CPU")
    if len(names) < count:
        raise ValueError(
            f"`devices` must be at most {len(names)} by now, as TensorFlow has started to use the CPU, which can't be "
            f"divided any more. Received: {count}. Call `strategy_for` before anything else."
        )
    return names[:count]


def _logical(kind):
    return [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices(kind)]
