"""What was measured, as the rows of results.json and as a table to read."""

from statistics_of_rounds import median, paired_differences, paired_ratio, percentile
from table import ENGINES


def without_the_common_part(sections, numbers):
    """The numbers with each section's `without` taken off, which stays as it was."""
    net = dict(numbers)
    for section in sections:
        for row in section.rows if section.without else []:
            common = numbers.get((row, section.without))
            for key in [key for key in numbers if key[0] == row and key[1] != section.without and common]:
                net[key] = paired_differences(numbers[key], common)
    return net


def measurement(name, unit, series):
    return {"name": name, "unit": unit, "median": median(series), "p10": percentile(series, 10),
            "p90": percentile(series, 90), "runs": len(series)}


def results(sections, numbers):
    """The array of results.json: measurements, then comparisons. What was not measured is not in it."""
    net = without_the_common_part(sections, numbers)
    rows = []
    for section in sections:
        for (row, contestant), series in net.items():
            if row in section.rows:
                rows.append(measurement(f"{row}.{contestant}", section.unit, series))
    for section in sections:
        for comparison in section.comparisons:
            if all(key in net for key in comparison.over + comparison.under):
                ratio = paired_ratio([net[key] for key in comparison.over], [net[key] for key in comparison.under])
                rows.append({"name": comparison.name, "ratio": ratio})
    return rows


# ---- The table ----


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}"


def is_of(comparison, engines):
    """Whether a contestant is one of these engines, which are the first words of names."""
    return any(contestant.split("_")[0] in engines for _, contestant in comparison.over + comparison.under)


def section_lines(section, rows, numbers, absent):
    by_name = {row["name"]: row for row in rows}
    measured = [by_name[f"{row}.{contestant}"] for row, contestant in numbers if row in section.rows]
    yield f"{section.name}: {section.what}"
    width = max([len(row["name"]) for row in measured], default=0)
    if measured:
        yield f"  {'':{width}} {'median':>10} {'p10':>10} {'p90':>10} {section.unit}"
    for row in measured:
        values = " ".join(f"{number(row[key]):>10}" for key in ("median", "p10", "p90"))
        yield f"  {row['name']:{width}} {values}"
    ratios = [comparison for comparison in section.comparisons if comparison.name in by_name]
    width = max([len(comparison.name) for comparison in ratios], default=0)
    for comparison in ratios:
        ratio, goal = by_name[comparison.name]["ratio"], comparison.goal
        verdict = f"  {goal}: {'reached' if goal.reached(ratio) else 'MISSED'}" if goal else ""
        yield f"  {comparison.name:{width}} {ratio:10.3f}{verdict}"
    for name, goal in section.goals:
        if name in by_name:
            value = by_name[name]["median"]
            verdict = "reached" if goal.reached(value) else "MISSED"
            yield f"  {name} {goal} {section.unit}: {verdict} ({number(value)})"
    for row, contestant, reason in absent:
        if row in section.rows:
            yield f"  {row}.{contestant}: not measured: {reason}"
    left_out = [engine for row, engine, _ in absent if row == ENGINES == section.name]
    missing = [comparison.name for comparison in section.comparisons if comparison.goal and
               comparison.name not in by_name and not is_of(comparison, left_out)]
    if missing:
        yield f"  goals without a measurement: {', '.join(missing)}"
    yield ""


def table(sections, rows, numbers, absent):
    return "\n".join(line for section in sections for line in section_lines(section, rows, numbers, absent))
