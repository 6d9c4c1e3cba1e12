"""Limit on what compressed content unpacks to, checked before it is unpacked."""

EXPANSION = 100
"""Largest ratio of a content's size to its stored bytes, for content of more than ``FREE`` bytes."""
FREE = 16 << 20


def expands_too_much(size: int, stored: int) -> bool:
    """Return whether ``size`` bytes from ``stored`` ones are more than a model's weights or text compress to."""
    return size > FREE and size > EXPANSION * stored
