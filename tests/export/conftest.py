from tests.inference.conftest import grey, trained

__all__ = ["grey", "trained"]
