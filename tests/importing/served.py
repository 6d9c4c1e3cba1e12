"""What a stranger's file makes a library do, for the process that must bear it."""

import os

import numpy as np

from caedsl.importing.network import Array


class Served:
    """Object of a few ways to fail."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def size(self) -> int:
        return len(self.content)

    def doubled(self, array: Array) -> Array:
        print("what a library prints is no answer")
        return np.asarray(2 * array)

    def objects(self) -> Array:
        return np.array([object()])

    def refuse(self) -> None:
        raise KeyError("a field\nand more")

    def take_memory(self) -> int:
        return len(bytearray(2 << 30))

    def loop(self) -> None:
        while True:
            pass

    def crash(self) -> None:
        os.abort()
