"""The paths in the folder of a training run; no other module names its files."""

from pathlib import Path

__all__ = ["RunFolder"]


class RunFolder:
    """The paths in a run folder, whether they exist or not."""

    def __init__(self, path):
        self.path = Path(path).expanduser()
        self.configuration = self.path / "config.json"
        self.model = self.path / "model.keras"
        self.best = self.path / "best.keras"
        self.average = self.path / "average.keras"
        self.history = self.path / "history.csv"
        self.health = self.path / "health.jsonl"
        self.report = self.path / "report.html"
        self.data_record = self.path / "data.json"
        self.drawn_data = self.path / "data"
        self.samples = self.path / "samples"
        self.logs = self.path / "logs"
        self.evaluation = self.path / "evaluation.json"
        self.evaluated_pictures = self.path / "evaluation.csv"
        self.best_and_worst = self.path / "evaluation.png"
        self.segmenter = self.path / "segmenter.keras"
        self.exports = self.path / "exports"  # The verdicts on exports, for the report.

    @classmethod
    def of(cls, run):
        """The folder of a run, or the one that a `.keras` file is in."""
        run = Path(run).expanduser()
        return cls(run.parent if run.suffix == ".keras" else run)
