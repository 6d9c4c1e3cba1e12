"""Losses as people read them."""


def loss_text(loss: float) -> str:
    """Five decimals; four digits that matter where those would not show them, or would show too many."""
    return f"{loss:.5f}" if loss == 0 or 1e-3 <= abs(loss) < 1e4 else f"{loss:.3e}"
