"""Seeds of ``caedsl train --seeds``."""

import re

MOST = 1000
LARGEST = 2**31 - 1


class SeedError(ValueError):
    """Invalid list of seeds; the message says what to write."""


def read_seeds(text: str) -> list[int]:
    """Return the seeds in ``0..4``, ``0,2,5`` or a combination, each once, in that order."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,10})(?:\.\.(\d{1,10}))?\s*", part, re.ASCII)
        if found is None:
            raise SeedError(f'"{part.strip()}" is not a seed: write a range such as 0..4, or a list such as 0,1,2')
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first or last > LARGEST:
            raise SeedError(f"{part.strip()} is not a range of seeds: write them in ascending order, up to {LARGEST}")
        if last - first >= MOST or len(seeds) + last - first >= MOST:
            raise SeedError(f"{text} names more than {MOST} seeds: train fewer at a time")
        seeds |= dict.fromkeys(range(first, last + 1))
    return list(seeds)
