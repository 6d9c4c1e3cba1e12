"""Objects of the Python interface as ``dir`` shows them."""


class PublicNames:
    """Object whose ``dir``, and so the completion of a notebook, lists only what is public."""

    def __dir__(self) -> list[str]:
        # Facts of a model are stored in it under names with dots.
        return sorted(name for name in super().__dir__() if name.isidentifier() and not name.startswith("_"))
