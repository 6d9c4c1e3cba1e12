"""Suggest the word that an author meant."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

_SHORTEST = 3  # below three letters every word is close to every other
_LONGEST = 64  # the work grows with the square of the length, and no word of the language is as long


def did_you_mean(word: str, candidates: Iterable[str], aliases: Mapping[str, str] = {}) -> str | None:
    """Return the one of ``candidates`` that ``word`` most likely stands for, or None if nothing is close.

    ``aliases`` maps names from elsewhere to the word to suggest (``learning_rate`` to ``lr``). Case, underscores and a
    trailing ``2d`` do not count. A typo is a letter added, omitted or replaced, or two neighbours swapped (Damerau
    1964): one is allowed in words of three to five letters, two in six to eight, and so on. Otherwise a longer or
    shorter form of the word is suggested. The word itself is never suggested.
    """
    if len(word) > _LONGEST:
        return None
    meanings = {candidate: candidate for candidate in candidates} | dict(aliases)
    return _nearest(word, tuple(meanings.items()))


@lru_cache(maxsize=256)
def _nearest(word: str, meanings: tuple[tuple[str, str], ...]) -> str | None:
    """Return the meaning with the nearest name; verifying the fixes of a text asks for the same words many times."""
    plain = _plain(word)
    near = [
        (distance, name[:1] != plain[:1], place, meaning)
        for place, (name, meaning) in enumerate((_plain(name), meaning) for name, meaning in meanings)
        if meaning != word and len(name) <= _LONGEST and (distance := _distance_if_near(plain, name)) is not None
    ]
    return min(near)[-1] if near else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").removesuffix("2d")


def _distance_if_near(word: str, name: str) -> int | None:
    if word == name:
        return 0
    shorter, longer = sorted((word, name), key=len)
    allowed = len(longer) // 3 if len(longer) >= _SHORTEST else 0
    if len(longer) - len(shorter) <= allowed and (distance := _distance(word, name, allowed)) <= allowed:
        return distance
    if len(shorter) >= _SHORTEST and longer.startswith(shorter):
        return len(longer)  # farther than any typo
    return None


def _distance(one: str, other: str, allowed: int) -> int:
    """Return the number of typos between two words (optimal string alignment), or a larger one than ``allowed``."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, match in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != match))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == match:
                best = min(best, two_before[j - 2] + 1)
            row.append(best)
        if min(row) > allowed and min(before) > allowed:
            return allowed + 1
    return row[-1]
