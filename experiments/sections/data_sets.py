"""The profile section of the inspection of data sets, in which there is nothing to choose."""

from experiments.frozen import Frozen


class DataSetsSection(Frozen):
    """Nothing: the inspection follows from the data alone, and not from where they were fetched."""
