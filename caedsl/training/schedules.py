"""How the learning rate moves, as a pure function of the step; ``plateau`` alone remembers something."""

from math import cos, pi

from caedsl.model.settings import Schedule

ONECYCLE_START = 1 / 25
ONECYCLE_END = 1 / 250_000


def factor(schedule: Schedule, step: int, steps: int, steps_per_epoch: int) -> float:
    """What the learning rate is multiplied by at ``step`` (counted from 0) of ``steps``.

    Over the first ``warmup`` share of all steps the factor rises linearly from 0 to 1 (for ``onecycle`` from 1/25).
    Then

    - ``cosine`` falls to 0 along half a cosine (Loshchilov and Hutter, "SGDR", ICLR 2017),
    - ``onecycle`` falls along half a cosine to 1/250,000 (Smith and Topin, "Super-convergence", 2018; the ends are
    those of
      ``torch.optim.lr_scheduler.OneCycleLR``, the momentum stays as it is set),
    - ``step`` is multiplied by ``schedule.factor`` once epoch ``at`` is over,
    - ``constant`` and ``plateau`` stay (see ``Plateau``).
    """
    start = ONECYCLE_START if schedule.name == "onecycle" else 0.0
    end = ONECYCLE_END if schedule.name == "onecycle" else 0.0
    rising = round(schedule.warmup * steps)
    if step < rising:
        return start + (1 - start) * (step + 1) / rising
    if schedule.name in ("cosine", "onecycle"):
        progress = (step - rising) / max(1, steps - rising)
        return end + (1 - end) * (1 + cos(pi * progress)) / 2
    if schedule.name == "step" and schedule.at is not None and step >= schedule.at * steps_per_epoch:
        return schedule.factor
    return 1.0


class Plateau:
    """The factor of ``schedule plateau``: it falls whenever the score has not fallen for ``patience`` epochs."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.factor = 1.0
        self.best = float("inf")
        self.waited = 0

    def update(self, score: float) -> None:
        """Take in the score of an epoch, lower being better."""
        if self.schedule.name != "plateau":
            return
        self.waited = 0 if score < self.best else self.waited + 1
        self.best = min(self.best, score)
        if self.waited >= self.schedule.patience:
            self.factor *= self.schedule.factor
            self.waited = 0
