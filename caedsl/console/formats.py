"""Format times and losses for people."""


def duration(seconds: float) -> str:
    """Return seconds as ``0:07`` or ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def loss_text(loss: float) -> str:
    """Return a loss with five decimals, or with four significant digits if those would hide it or show too many."""
    return f"{loss:.5f}" if loss == 0 or 1e-3 <= abs(loss) < 1e4 else f"{loss:.3e}"
