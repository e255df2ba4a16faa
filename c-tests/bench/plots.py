"""The plots: trap.roundtrip by contestant, lookup.scale and table.write by size."""

import math

from statistics_of_rounds import median, percentile
from svg import COLOURS, FAINT, GRID, INK, Drawing, Scale
from table import FLOORS, JUMP, OURS, RANGES, SITES

WIDTH = 820


def draw_all(numbers, out):
    """Draws what was measured; the files."""
    drawn = [plot(numbers, out / f"{name}.svg") for name, plot in
             [("trap.roundtrip", roundtrip), ("lookup.scale", lookups), ("table.write", writes)]]
    return [str(file) for file in drawn if file]


def round_ticks(length, low=0, about=5):
    """From `low` on, in steps of 1, 2 or 5 times a power of ten.

    >>> round_ticks(2.3), round_ticks(11), round_ticks(0.5, 0.8)
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0, 5, 10], [0.8, 0.9, 1.0, 1.1, 1.2, 1.3])
    """
    rough = length / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(low + index * step, 9) for index in range(int(length / step) + 1)]


# ---- Bars ----


def roundtrip(numbers, file):
    row, floor = "trap.roundtrip", ("trap.roundtrip", "raw_context")
    if floor not in numbers:
        return None
    bars = []
    for (measured, contestant), series in numbers.items():
        if measured == row:
            ratios = [number / under for number, under in zip(series, numbers[floor])]
            bars.append((median(ratios), contestant, percentile(ratios, 10), percentile(ratios, 90), median(series)))
    bars.sort()

    left, right, top, height = 290, 130, 74, 30
    bottom = top + height * len(bars)
    drawing = Drawing(WIDTH, bottom + 56, "trap.roundtrip")
    drawing.text(24, 32, "A trap, there and back", size=17, weight="600")
    drawing.text(24, 54, "median time over that of the raw_context floor in the same round; the line is p10 to p90",
                 colour=FAINT)
    high = max(bar[3] for bar in bars)
    # A contestant that is far off, or a round that was, must not make the others too small to see.
    high = min(high, 1.25 * bars[-1][0])
    scale = Scale(0, high, left, WIDTH - right)
    for tick in round_ticks(high):
        drawing.line(scale(tick), top, scale(tick), bottom)
        drawing.text(scale(tick), bottom + 20, f"{tick:g}", "middle", FAINT)
    drawing.text((left + WIDTH - right) / 2, bottom + 42, "× raw_context", "middle", FAINT)
    for place, (ratio, contestant, p10, p90, time) in enumerate(bars):
        y = top + height * place
        colour = COLOURS[0] if contestant in (OURS, JUMP) else "#8c959f" if contestant in FLOORS else "#b6bfc9"
        drawing.text(left - 10, y + 20, contestant, "end", weight="600" if contestant == OURS else "normal")
        drawing.bar(left, y + 6, scale(ratio) - left, height - 12, colour)
        drawing.line(scale(p10), y + height / 2, scale(min(p90, high)), y + height / 2, INK, 1.5)
        drawing.text(WIDTH - right + 10, y + 20, f"{ratio:.2f}", weight="600")
        drawing.text(WIDTH - 10, y + 20, f"{time / 1000:.1f} µs", "end", FAINT, 12)
    drawing.line(scale(1), top, scale(1), bottom, FAINT, 1, "4 3")
    drawing.write(file)
    return file


# ---- Lines ----


def by_size(file, title, subtitle, across, curves, label, reference=None, low=0):
    """`curves` is [(name, [(size, median, p10, p90)...])...]; the axis begins at `low`."""
    curves = [(name, points) for name, points in curves if len(points) > 1]
    if not curves:
        return None
    left, right, top, bottom = 70, 190, 80, 400
    drawing = Drawing(WIDTH, bottom + 64, title)
    drawing.text(24, 32, title, size=17, weight="600")
    drawing.text(24, 54, subtitle, colour=FAINT)
    everything = [point for _, points in curves for point in points]
    # The bands may leave the picture, the medians may not.
    high = 1.1 * max([point[1] for point in everything] + [reference or 0])
    x = Scale(min(point[0] for point in everything), max(point[0] for point in everything), left, WIDTH - right,
              math.log10)
    y = Scale(low, high, bottom, top)
    for tick in round_ticks(high - low, low):
        drawing.line(left, y(tick), WIDTH - right, y(tick))
        drawing.text(left - 10, y(tick) + 4, label(tick), "end", FAINT)
    for power in range(7):
        size = 10 ** power
        if left - 1 <= x(size) <= WIDTH - right + 1:
            drawing.line(x(size), bottom, x(size), bottom + 5, FAINT)
            drawing.text(x(size), bottom + 22, f"{size:,}", "middle", FAINT)
    drawing.text((left + WIDTH - right) / 2, bottom + 46, across, "middle", FAINT)
    if reference:
        drawing.line(left, y(reference), WIDTH - right, y(reference), INK, 1, "4 3")
        drawing.text(WIDTH - right + 10, y(reference) - 8, f"goal {label(reference)}", colour=INK, size=12)
    places = []
    for (name, points), colour in zip(curves, COLOURS):
        drawing.band([(x(size), y(max(p10, low))) for size, _, p10, _ in points],
                     [(x(size), y(min(p90, high))) for size, _, _, p90 in points], colour)
        drawing.path([(x(size), y(middle)) for size, middle, _, _ in points], colour)
        for size, middle, _, _ in points:
            drawing.dot(x(size), y(middle), colour)
        places.append((y(points[-1][1]), name, colour))
    # Names beside the lines' ends, far enough from one another to be read.
    last = -math.inf
    for place, name, colour in sorted(places):
        last = max(place + 4, last + 17)
        drawing.text(WIDTH - right + 10, last + (14 if reference else 0), name, colour=colour, weight="600")
    drawing.line(left, bottom, WIDTH - right, bottom, GRID)
    drawing.write(file)
    return file


def points_of(numbers, row, sizes, under=None):
    points = []
    for size in sizes:
        series = numbers.get((row, str(size)))
        below = numbers.get((row, str(under))) if under else None
        if series and (below or not under):
            values = [number / (other if under else 1) for number, other in zip(series, below or series)]
            points.append((size, median(values), percentile(values, 10), percentile(values, 90)))
    return points


def lookups(numbers, file):
    curves = [("ranges", points_of(numbers, "lookup.scale", RANGES, RANGES[0])),
              ("ranges, scattered", points_of(numbers, "lookup.scale.scattered", RANGES, RANGES[0])),
              ("sites", points_of(numbers, "lookup.scale.sites", SITES, SITES[0]))]
    return by_size(file, "A trap, by the size of the tables", "median time over that of the smallest size in the same "
                   "round; band: p10 to p90", "code ranges, or trap sites in one range", curves,
                   lambda ratio: f"{ratio:g}", 1.03, low=0.8)


def writes(numbers, file):
    points = [(size, *(nanoseconds / 1000 for nanoseconds in values))
              for size, *values in points_of(numbers, "table.write", RANGES)]
    return by_size(file, "Registering and unregistering a range", "median; band: p10 to p90",
                   "code ranges that are there already", [("register + unregister", points)],
                   lambda microseconds: f"{microseconds:g} µs", 2)
