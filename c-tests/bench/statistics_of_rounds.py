"""Medians and percentiles of what was measured round by round."""

import math


def percentile(numbers, percent):
    """By linear interpolation.

    >>> percentile([4, 1, 3, 2, 5], 50), percentile([1, 2], 50), percentile([1, 2, 3, 4, 5], 90)
    (3.0, 1.5, 4.6)
    """
    ordered = sorted(numbers)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below), 9)


def median(numbers):
    return percentile(numbers, 50)


def paired_ratio(over, under):
    """The median over the rounds of the product of `over` by the product of `under`, each a list of series.

    >>> paired_ratio([[2, 30, 4]], [[1, 10, 4]])
    2.0
    >>> paired_ratio([[6], [2]], [[3], [4]])
    1.0
    """
    return median([math.prod(above) / math.prod(below) for above, below in zip(zip(*over), zip(*under))])


def paired_differences(series, subtracted):
    return [number - other for number, other in zip(series, subtracted)]
