"""The plots: trap.roundtrip by contestant, engines on the library, lookup.scale and table.write by size."""

import math

from statistics_of_rounds import median, percentile
from report import without_the_common_part
from svg import COLOURS, FAINT, GRID, INK, Drawing, Scale
from table import ENGINE_PAIRS, ENGINE_ROWS, FLOORS, ON_OURS, OURS, RANGES, SECTIONS, SITES, WORDS

WIDTH = 860
# Whose a bar is.
OURS_COLOUR, PEER_COLOUR, FLOOR_COLOUR = COLOURS[0], "#d4884a", "#8c959f"


def draw_all(numbers, out):
    """Draws what was measured; the files."""
    drawn = [plot(numbers, out / f"{name}.svg") for name, plot in
             [("trap.roundtrip", roundtrip), ("engines", engines), ("lookup.scale", lookups), ("table.write", writes)]]
    return [str(file) for file in drawn if file]


def round_ticks(length, low=0, about=5):
    """From `low` on, in steps of 1, 2 or 5 times a power of ten.

    >>> round_ticks(2.3), round_ticks(11), round_ticks(0.5, 0.8)
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0, 5, 10], [0.8, 0.9, 1.0, 1.1, 1.2, 1.3])
    """
    rough = length / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(low + index * step, 9) for index in range(int(length / step + 1e-9) + 1)]


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

    left, right, top, height = 360, 130, 102, 30
    bottom = top + height * len(bars)
    drawing = Drawing(WIDTH, bottom + 56, "trap.roundtrip")
    drawing.text(24, 32, "A trap, there and back", size=17, weight="600")
    drawing.text(24, 54, "median time over that of the raw_context floor in the same round; the line is p10 to p90",
                 colour=FAINT)
    key(drawing, 24, 80, [("on libwasmtrap", OURS_COLOUR), ("others", PEER_COLOUR),
                          ("floors: a bare handler, and nothing else", FLOOR_COLOUR)])
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
        drawing.text(left - 10, y + 20, WORDS.get(contestant, contestant), "end",
                     weight="600" if contestant == OURS else "normal")
        drawing.bar(left, y + 6, scale(ratio) - left, height - 12, colour_of(contestant))
        drawing.line(scale(p10), y + height / 2, scale(min(p90, high)), y + height / 2, INK, 1.5)
        drawing.text(WIDTH - right + 10, y + 20, f"{ratio:.2f}", weight="600")
        drawing.text(WIDTH - 10, y + 20, f"{time / 1000:.1f} µs", "end", FAINT, 12)
    drawing.line(scale(1), top, scale(1), bottom, FAINT, 1, "4 3")
    drawing.write(file)
    return file


def colour_of(contestant):
    if contestant.startswith(OURS) or contestant in ON_OURS:
        return OURS_COLOUR
    return FLOOR_COLOUR if contestant in FLOORS else PEER_COLOUR


def key(drawing, x, y, entries):
    """What the colours mean, in a line."""
    for words, colour in entries:
        drawing.bar(x, y - 10, 12, 12, colour)
        drawing.text(x + 18, y, words, colour=FAINT, size=12)
        x += 40 + 6.4 * len(words)


# ---- Ranges ----

WHAT = dict(zip(ENGINE_ROWS, ["memory fault", "unreachable", "division by zero", "trap that code raises",
                              "call that returns"]))


def engines(numbers, file):
    """For each engine and row how much longer it takes on its own handlers: a dot, and a line from p10 to p90."""
    net = without_the_common_part(SECTIONS, numbers)
    groups = []
    for pair in ENGINE_PAIRS:
        rows = []
        for row in ENGINE_ROWS:
            own, ours = net.get((row, pair.own)), net.get((row, pair.ours))
            if own and ours:
                ratios = [one / other for one, other in zip(own, ours)]
                rows.append((row, median(ratios), percentile(ratios, 10), percentile(ratios, 90)))
        if rows:
            groups.append((pair, rows))
    if not groups:
        return None

    left, right, top, height, gap = 300, 90, 70, 24, 34
    bottom = top + sum(gap + height * len(rows) for _, rows in groups)
    drawing = Drawing(WIDTH, bottom + 66, "engines")
    drawing.text(24, 32, "Engines on libwasmtrap, beside the same engines on their own handlers", size=17, weight="600")
    drawing.text(24, 54, "time on its own handlers over time on libwasmtrap, round by round: dot is the median, line "
                 "is p10 to p90, stroke is the goal", colour=FAINT, size=12)
    # What is far off is said, and must not make the others hard to tell from one another.
    low, high = 0.6, 1.4
    scale = Scale(low, high, left, WIDTH - right)

    def inside(ratio):
        return scale(min(max(ratio, low), high))

    for tick in round_ticks(high - low, low, about=8):
        drawing.line(scale(tick), top, scale(tick), bottom)
        drawing.text(scale(tick), bottom + 20, f"{tick:g}", "middle", FAINT)
    drawing.line(scale(1), top - 8, scale(1), bottom, FAINT, 1, "4 3")
    drawing.text(scale(1) - 8, bottom + 44, "← slower on libwasmtrap", "end", FAINT)
    drawing.text(scale(1) + 8, bottom + 44, "faster →", "start", FAINT)
    y = top
    for pair, rows in groups:
        y += gap
        drawing.text(24, y - 8, WORDS[pair.ours], weight="600")
        for row, ratio, p10, p90 in rows:
            middle = y + height / 2
            drawing.text(left - 10, middle + 4, WHAT[row], "end")
            drawing.line(inside(p10), middle, inside(p90), middle, OURS_COLOUR, 2)
            if low <= ratio <= high:
                drawing.dot(scale(ratio), middle, OURS_COLOUR)
            else:
                end, back = (scale(low), 8) if ratio < low else (scale(high), -8)
                drawing.polygon([(end, middle), (end + back, middle - 5), (end + back, middle + 5)], OURS_COLOUR)
            if row in pair.goals:
                goal = inside(pair.goals[row].at_least)
                drawing.line(goal, middle - 7, goal, middle + 7, INK, 1.5)
            drawing.text(WIDTH - 20, middle + 4, f"{ratio:.2f}", "end", weight="600")
            y += height
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
