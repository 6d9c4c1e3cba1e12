"""All fault operators."""

from benchmarks.faults.capacity_faults import CAPACITY
from benchmarks.faults.optimisation_faults import OPTIMISATION
from benchmarks.faults.shape_faults import LANGUAGE, SHAPES
from benchmarks.faults.signal_faults import ACTIVATION, DATA, NUMERICS, REGULARISATION

OPERATORS = (*LANGUAGE, *SHAPES, *CAPACITY, *ACTIVATION, *OPTIMISATION, *DATA, *REGULARISATION, *NUMERICS)
