"""Sizes of the parts of a batch that is divided between processes, or to accumulate gradients."""


def parts_of(images: int, parts: int) -> list[int]:
    """Divide images into parts that differ by at most one, without empty ones, the larger ones last.

    A process that has no images of the last part, where gradients are sent, then has none of the others.
    """
    return [share_of(images, number, parts) for number in reversed(range(min(parts, images)))]


def share_of(images: int, number: int, count: int) -> int:
    """Return the size of part ``number`` where images are divided into ``count`` parts."""
    least, more = divmod(images, count)
    return least + (number < more)
