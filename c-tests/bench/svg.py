"""Enough of SVG for a bar chart and a line chart, in text."""

from xml.sax.saxutils import escape

INK, FAINT, GRID = "#1f2328", "#59636e", "#d8dee4"
COLOURS = ["#0969da", "#bc4c00", "#1a7f37", "#8250df"]


class Drawing:
    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.elements = [f"<title>{escape(title)}</title>",
                         f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def line(self, x1, y1, x2, y2, colour=GRID, width=1, dashes=None):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.elements.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                             f'stroke-width="{width}"{dashed}/>')

    def bar(self, x, y, width, height, colour):
        self.elements.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                             f'fill="{colour}" rx="2"/>')

    def dot(self, x, y, colour):
        self.elements.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')

    def path(self, points, colour):
        self.elements.append(f'<polyline points="{self._points(points)}" fill="none" stroke="{colour}" '
                             'stroke-width="2" stroke-linejoin="round"/>')

    def polygon(self, points, colour, opacity=1):
        self.elements.append(f'<polygon points="{self._points(points)}" fill="{colour}" opacity="{opacity}"/>')

    def band(self, lower, upper, colour):
        self.polygon(lower + upper[::-1], colour, 0.15)

    @staticmethod
    def _points(points):
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    def text(self, x, y, words, anchor="start", colour=INK, size=13, weight="normal"):
        self.elements.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
                             f'font-size="{size}" font-weight="{weight}">{escape(words)}</text>')

    def write(self, file):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
                f'viewBox="0 0 {self.width} {self.height}" font-family="system-ui, sans-serif">')
        file.write_text("\n".join([head, *self.elements, "</svg>", ""]), encoding="utf-8")


class Scale:
    """From numbers to places, evenly or by the logarithm."""

    def __init__(self, low, high, start, end, shape=lambda number: number):
        self.shape = shape
        self.low, self.start = shape(low), start
        self.step = (end - start) / (shape(high) - shape(low))

    def __call__(self, number):
        return self.start + (self.shape(number) - self.low) * self.step
