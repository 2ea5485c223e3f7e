"""The progress bar of `keras-pix2pix train`."""

import time

import keras
import rich.console
import rich.progress

__all__ = ["ProgressBar"]

_LINE_EVERY = 60  # Seconds, where there is no bar.
# The rest is in history.csv.
_SHOWN = ("g_l1", "g_gan", "d_real", "d_fake", "val_g_l1", "val_psnr", "val_ssim")


class ProgressBar(keras.callbacks.Callback):
    """One line per epoch; during it, a bar with speed and time left, or one line per minute if output is piped.

    Pass it after `callbacks.Rates`.
    """

    def __init__(self, batch_size, console=None):
        super().__init__()
        self.batch_size = batch_size
        self.console = console or rich.console.Console()
        self.bar = None

    def on_train_begin(self, logs=None):
        self.seconds_of_epochs = []
        self.seconds_of_step = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.started = self.last_line = time.monotonic()
        self.steps_timed = 0
        self.steps_before = self.model.training_state.first_step(epoch)
        if self.console.is_terminal:
            columns = "{task.description}", rich.progress.BarColumn(), rich.progress.MofNCompleteColumn()
            self.bar = rich.progress.Progress(
                *columns, "{task.fields[pace]}", console=self.console, transient=True, refresh_per_second=4
            )
            self.task = self.bar.add_task(self._title(), total=self.params["steps"], pace="")
            self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        now, done = time.monotonic(), self.steps_before + batch + 1
        if self.steps_timed:
            self.seconds_of_step = (now - self.first_step_ended) / (batch - self.first_step)
        else:  # The first step builds the graph.
            self.first_step_ended, self.first_step = now, batch
        self.steps_timed += 1
        if self.bar:
            self.bar.update(self.task, completed=done, pace=self._pace(done))
        elif now - self.last_line >= _LINE_EVERY:
            self.last_line = now
            self._print(f"{self._title()}  {done}/{self.params['steps']} steps, {self._pace(done)}")

    def on_test_begin(self, logs=None):
        if self.bar:
            self.bar.update(self.task, description=f"{self._title()}, validation")

    def on_epoch_end(self, epoch, logs=None):
        self.close()
        seconds = time.monotonic() - self.started
        self.seconds_of_epochs.append(seconds)
        figures = "  ".join(f"{name} {logs[name]:.4g}" for name in _SHOWN if name in logs)
        pace = f"{logs['images_per_second']:.3g} images/s, " if logs.get("images_per_second") else ""
        epochs_left = self.params["epochs"] - epoch - 1
        mean = sum(self.seconds_of_epochs) / len(self.seconds_of_epochs)
        left = f", {_duration(mean * epochs_left)} left" if epochs_left else ""
        self._print(f"{self._title()}  {figures}  {pace}{_duration(seconds)}{left}")

    def close(self):
        """Remove the bar from the terminal, also after an error."""
        if self.bar:
            self.bar.stop()
            self.bar = None

    def _title(self):
        return f"Epoch {self.epoch + 1}/{self.params['epochs']}"

    def _pace(self, steps_done):
        if not self.seconds_of_step:
            return ""
        steps_left = self.params["steps"] - steps_done
        epochs_left = self.params["epochs"] - self.epoch - 1
        left = steps_left * self.seconds_of_step
        if self.seconds_of_epochs:
            in_all = left + epochs_left * sum(self.seconds_of_epochs) / len(self.seconds_of_epochs)
        else:  # Validation is not included.
            in_all = left + epochs_left * self.params["steps"] * self.seconds_of_step
        pace = f"{self.batch_size / self.seconds_of_step:.3g} images/s, {_duration(left)} left"
        return f"{pace}, {_duration(in_all)} for all epochs" if epochs_left else pace

    def _print(self, line):
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _duration(seconds):
    """A time as text, with at most two units."""
    seconds = round(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
