"""One seed per run, from which the seed of every random stream is derived."""

from hashlib import sha256


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed that depends only on ``seed`` and its purpose."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1
