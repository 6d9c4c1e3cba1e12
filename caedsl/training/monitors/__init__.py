"""The monitors: one file each, whose docstring is its documentation and whose ``look`` says what it is sure of."""
