"""How are shoes and bags drawn? One function for each, from its dice alone.

Throughout, `s` is the sketch. Shoes are seen from the side, the toe to the left;
`base` is the height of the ground, `toe` and `heel` are the shoe's two ends.
"""

from typing import Any

import numpy as np

from ._sketch import (
    NOWHERE,
    Sketch,
    both,
    box,
    contrast,
    curve,
    ellipse,
    fabric,
    limb,
    only,
    round_off,
)


def _shoe(s: Sketch, base, toe, heel, *rim: tuple) -> np.ndarray:
    """Draw a closed shoe between its sole and its rim, a curve of knots (u, v)."""
    rounded = curve(s.u, (toe - 0.02, 0.25), (toe + 0.3, 0.0))
    return both(curve(s.u, *rim) - s.v, s.v - base, toe + rounded * 0.3 - s.u, s.u - heel)


def _laces(s: Sketch, start, stop) -> np.ndarray:
    """Draw short strokes across the line from one point to another."""
    dx, dy = stop[0] - start[0], stop[1] - start[1]
    length = np.hypot(dx, dy)
    along = ((s.u - start[0]) * dx + (s.v - start[1]) * dy) / length
    aside = ((s.u - start[0]) * dy - (s.v - start[1]) * dx) / length
    pitch = length / 3.5
    stroke = np.abs(np.mod(along, pitch) - pitch / 2.0) - 0.035
    return both(stroke, -along, along - length, np.abs(aside) - 0.12)


def sneaker(s: Sketch) -> np.ndarray:
    """Draw a sneaker: low, laced, on a sole of its own shade."""
    base, toe = s.uniform(0.25, 0.5), s.uniform(-0.98, -0.85)
    heel = s.uniform(0.85, 0.98)
    height = np.where(s.chance(0.15), s.uniform(0.8, 1.1), s.uniform(0.45, 0.75))
    cap = s.uniform(0.2, 0.34)
    tongue = s.uniform(0.05, 0.35)
    peak = base - height
    back = base - height * s.uniform(0.78, 1.0)
    dip = np.maximum(peak, back) + s.uniform(0.02, 0.1)
    cloth = fabric(s, patterned=0.3, checks=0.3, rows=0.2, columns=0.1)
    rim = ((toe, base - cap), (-0.45, base - cap * 1.15), (tongue, peak))
    upper = _shoe(s, base, toe, heel, *rim, (tongue + 0.3, dip), (heel, back))
    upper = both(upper, s.u - heel + 0.6 * (s.v - base + 0.4 * height) ** 2)
    s.paint(upper, round_off(upper, cloth))
    trim = contrast(s, cloth)
    foot = (-0.4, base - cap * 1.1)
    s.paint(_laces(s, foot, (tongue, peak + 0.08)), trim, within=upper, share=0.75)
    swoosh = limb(
        s.u,
        s.v,
        (-0.25, base - s.uniform(0.12, 0.2)),
        (s.uniform(0.3, 0.7), base - s.uniform(0.25, 0.45)),
        0.07,
        0.03,
    )
    s.paint(swoosh, contrast(s, cloth, 0.3), within=upper, share=0.45)
    s.paint(toe + 0.3 - s.u, trim, within=upper, share=0.4)
    s.paint(heel - 0.22 - s.u, trim, within=upper, share=0.3)
    sole = _sole(s, base, toe, heel)
    s.paint(sole, contrast(s, cloth))
    return s.image


def _sole(s: Sketch, base, toe, heel) -> np.ndarray:
    """Draw a sole that rises a little at the toe."""
    thick = s.uniform(0.06, 0.13)
    spring = curve(s.u, (toe, s.uniform(0.0, 0.12)), (toe + 0.5, 0.0))
    y = s.v - base + spring + thick * 0.5
    return both(np.abs(y) - thick, np.abs(s.u - (toe + heel) / 2.0) - (heel - toe) / 2.0)


def ankle_boot(s: Sketch) -> np.ndarray:
    """Draw an ankle boot: a shaft above the foot, a heel below it."""
    base, toe = s.uniform(0.6, 0.85), s.uniform(-0.98, -0.82)
    heel = s.uniform(0.7, 0.92)
    height = np.where(s.chance(0.2), s.uniform(0.75, 1.0), s.uniform(1.0, 1.6))
    cap = s.uniform(0.22, 0.36)
    lift = np.where(s.chance(0.5), s.uniform(0.02, 0.12), s.uniform(0.12, 0.45))
    front = s.uniform(-0.25, 0.1)
    rim_v = base - height
    cloth = fabric(s, patterned=0.2, checks=0.2, rows=0.2, columns=0.1)
    floor = base - curve(s.u, (-0.45, 0.0), (heel - 0.3, lift))
    rim = ((toe, base - cap), (-0.55, base - cap * 1.1), (front, base - 0.6 * height))
    lean = s.uniform(-0.08, 0.12)
    upper = _shoe(s, floor, toe, heel, *rim, (front + lean + 0.12, rim_v))
    upper = both(upper, s.u - heel + 0.1 * np.sin(3.0 * (s.v - rim_v)))
    s.paint(upper, round_off(upper, cloth))
    trim = contrast(s, cloth)
    block = s.uniform(0.1, 0.3)
    post = both(np.abs(s.u - heel + block) - block, s.v - base, floor - 0.02 - s.v)
    s.paint(only(lift > 0.05, post), trim)
    s.paint(both(np.abs(s.v - floor) - s.uniform(0.03, 0.08), toe - s.u, s.u - heel), trim)
    gore = ellipse(s.u - heel + 0.42, s.v - rim_v - 0.2, s.uniform(0.1, 0.18), 0.4)
    s.paint(gore, trim, within=upper, share=0.3)
    foot, ankle = (-0.45, base - cap), (front + 0.12, rim_v + 0.15)
    s.paint(_laces(s, foot, ankle), contrast(s, cloth), within=upper, share=0.35)
    zipper = np.abs(s.u - heel + s.uniform(0.3, 0.5)) - 0.025
    s.paint(zipper, contrast(s, cloth, 0.3), within=upper, share=0.25)
    s.paint(s.v - rim_v - 0.12, contrast(s, cloth), within=upper, share=0.35)
    return s.image


def sandal(s: Sketch) -> np.ndarray:
    """Draw a sandal: a bare sole, flat, wedged or on a heel, under a few straps."""
    toe, heel = s.uniform(-0.98, -0.85), s.uniform(0.82, 0.98)
    kind = s.uniform(0.0, 1.0)
    heeled, wedge = kind < 0.3, kind > 0.75
    lift = np.where(heeled, s.uniform(0.5, 1.0), np.where(wedge, s.uniform(0.2, 0.5), 0.04))
    base = s.uniform(0.2, 0.45) + lift * 0.35
    cloth = fabric(s, patterned=0.3, checks=0.1, rows=0.1, columns=0.1)
    thick = np.where(heeled, s.uniform(0.025, 0.06), s.uniform(0.05, 0.11))
    floor = base - curve(s.u, (-0.5, 0.0), (heel - 0.15, lift))
    ends = np.abs(s.u - (toe + heel) / 2.0) - (heel - toe) / 2.0
    lower = np.where(wedge, base, floor + thick)
    trim = contrast(s, cloth)
    s.paint(both(floor - thick - s.v, s.v - lower, ends), trim)
    post = both(
        np.abs(s.u - heel + 0.08) - curve(s.v, (floor, 0.09), (base + 0.05, 0.035)),
        floor - s.v,
        s.v - base - thick,
    )
    s.paint(only(heeled, post), trim)
    straps = _straps(s, floor)
    s.paint(straps, round_off(straps, cloth, 0.05))
    rise, width = s.uniform(0.3, 0.6), s.uniform(0.03, 0.06)
    ring = np.abs(ellipse(s.u - 0.6, s.v - floor + rise, 0.28, s.uniform(0.06, 0.14)))
    back = limb(s.u, s.v, (heel - 0.06, base - lift), (0.82, base - lift - rise), 0.04, 0.04)
    s.paint(np.minimum(ring, back) - width, cloth, share=0.55)
    return s.image


def _straps(s: Sketch, floor: np.ndarray) -> np.ndarray:
    """Arch a band over the toes, and perhaps more over the instep."""
    shape: Any = NOWHERE
    for middle, share in ((-0.5, 1.0), (-0.1, 0.6), (0.25, 0.25)):
        x = s.u - middle - s.uniform(-0.15, 0.15)
        reach, rise = s.uniform(0.18, 0.38), s.uniform(0.15, 0.42)
        y = s.v - floor - s.uniform(-0.6, 0.6) * x
        arch = np.abs(ellipse(x, y, reach, rise)) - s.uniform(0.025, 0.08)
        shape = np.minimum(shape, only(s.chance(share), both(arch, s.v - floor)))
    return shape


def bag(s: Sketch) -> np.ndarray:
    """Draw a bag: a box, often under a handle, with a flap, a clasp or a pocket."""
    a = np.abs(s.u)
    rx, ry = s.uniform(0.5, 0.92), s.uniform(0.32, 0.62)
    floor = s.uniform(0.6, 0.92)
    y = s.v - floor + ry
    cloth = fabric(s, patterned=0.3, checks=0.2, rows=0.2, columns=0.2)
    handle = _handle(s, a, floor - 2.0 * ry, rx)
    s.paint(handle, contrast(s, cloth), share=0.75)
    corner = s.uniform(0.02, 0.2)
    sides = rx - s.uniform(-0.12, 0.2) * (1.0 - y / ry) / 2.0
    dx, dy = a - sides + corner, np.abs(y) - ry + corner
    body = np.hypot(np.maximum(dx, 0.0), np.maximum(dy, 0.0)) - corner
    body = body + np.minimum(np.maximum(dx, dy), 0.0)
    s.paint(body, round_off(body, cloth))
    trim = contrast(s, cloth)
    edge = ry * s.uniform(-0.5, 0.4) - s.uniform(0.0, 0.35) * a
    flap = both(body, y - edge)
    s.paint(flap, round_off(flap, trim), share=0.4)
    s.paint(np.abs(y - edge) - 0.025, cloth * 0.4, within=body, share=0.35)
    clasp = box(s.u, y - edge, s.uniform(0.04, 0.1), s.uniform(0.04, 0.1))
    s.paint(clasp, contrast(s, cloth, 0.4), within=body, share=0.4)
    pocket = np.abs(box(s.u, y - 0.3 * ry, 0.6 * rx, 0.4 * ry)) - 0.02
    s.paint(pocket, contrast(s, cloth, 0.3), share=0.25)
    belts = np.abs(a - s.uniform(0.25, 0.45)) - 0.04
    s.paint(belts, trim, within=body, share=0.2)
    return s.image


def _handle(s: Sketch, a: np.ndarray, top: np.ndarray, rx: np.ndarray) -> np.ndarray:
    """Draw a round handle or a strap hung from a point."""
    thick = s.uniform(0.025, 0.07)
    width = rx * s.uniform(0.3, 0.85)
    rise = (top + 0.95) * s.uniform(0.55, 1.0)
    hoop = np.abs(ellipse(a, s.v - top, width, np.maximum(rise, 0.1))) - thick
    strap = limb(a, s.v, (0.0, top - rise), (width, top + 0.1), thick, thick)
    return both(np.where(s.chance(0.7), hoop, strap), s.v - top - 0.1)
