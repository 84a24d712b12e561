"""How is each garment of cloth drawn? One function per garment, from its dice alone.

Throughout, `s` is the sketch and `a` the distance from the middle line, so that left
and right are drawn at once; `top`, `hem`, `crotch` are heights, the rest lengths.
"""

import numpy as np

from ._sketch import (
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


def _neckline(s: Sketch, a: np.ndarray, top: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Cut a round or a pointed opening, to be taken away from a body."""
    depth = s.uniform(0.06, 0.3)
    drop = s.v - top
    pointed = (a / width + drop / depth - 1.0) * np.minimum(width, depth) * 0.8
    return np.where(s.chance(0.35), pointed, ellipse(a, drop, width, depth))


def _body(s: Sketch, a, top, hem, widths: tuple, slope, rounding=0.0) -> np.ndarray:
    """Draw a trunk by its half-widths at shoulder, waist and hem."""
    shoulder, waist, bottom = widths
    middle = 0.45 * top + 0.55 * hem
    width = curve(s.v, (top, shoulder), (middle, waist), (hem, bottom))
    return both(a - width, top + slope * a - s.v, s.v - hem + rounding * a * a)


def _sleeves(s: Sketch, a, top, shoulder, length, spread, slope) -> np.ndarray:
    """Hang two sleeves from the shoulders; `spread` is how far they stand off."""
    upper, cuff = s.uniform(0.13, 0.19), s.uniform(0.08, 0.13)
    uneven = np.where(s.u < 0.0, s.uniform(-0.05, 0.05), s.uniform(-0.05, 0.05))
    start = (shoulder - upper, top + slope * shoulder + upper)
    out = np.clip(spread + uneven, 0.02, None)
    stop = (start[0] + out, start[1] + np.sqrt(np.maximum(length**2 - out**2, 0.01)))
    arm = limb(a, s.v, start, stop, upper, cuff)
    return both(arm, top + slope * a - s.v)


def _trunk_and_sleeves(s: Sketch, body, sleeves, cloth) -> None:
    """Paint sleeves, then the body over them, so that a seam shows."""
    s.paint(sleeves, round_off(sleeves, cloth) * s.uniform(0.75, 1.0))
    s.paint(body, round_off(body, cloth))


def t_shirt(s: Sketch) -> np.ndarray:
    """Draw a T-shirt: short sleeves, an open neck, often a print on the chest."""
    a = np.abs(s.u)
    top, hem = s.uniform(-0.95, -0.8), s.uniform(0.78, 0.97)
    slope = s.uniform(0.15, 0.4)
    shoulder = s.uniform(0.5, 0.66)
    waist = shoulder * s.uniform(0.78, 0.95)
    cloth = fabric(s, patterned=0.4, checks=0, rows=0.85, columns=0)
    neck = _neckline(s, a, top, s.uniform(0.2, 0.32))
    trunk = _body(s, a, top, hem, (shoulder, waist, waist * s.uniform(0.95, 1.15)), slope)
    body = both(trunk, -neck)
    long = s.chance(0.04)
    length = np.where(long, s.uniform(0.8, 1.2), s.uniform(0.25, 0.5))
    spread = np.where(long, 0.22, length * s.uniform(0.45, 0.8))
    sleeves = _sleeves(s, a, top, shoulder, length, spread, slope)
    sleeves = only(s.chance(0.93), sleeves)
    _trunk_and_sleeves(s, body, sleeves, cloth)
    s.paint(neck - 0.06, contrast(s, cloth), within=body, share=0.5)
    motif = _chest_print(s)
    s.paint(motif, contrast(s, cloth, 0.3), within=body, share=0.45)
    return s.image


def _chest_print(s: Sketch) -> np.ndarray:
    """Draw a badge, a picture or lettering on the chest."""
    x = s.u - s.uniform(-0.15, 0.15)
    y = s.v + s.uniform(0.1, 0.45)
    rx, ry = s.uniform(0.08, 0.35), s.uniform(0.06, 0.28)
    shape = np.where(s.chance(0.5), ellipse(x, y, rx, ry), box(x, y, rx, ry))
    letters = 0.06 * np.sin(s.uniform(10.0, 20.0) * x)
    return np.where(s.chance(0.4), both(shape, letters), shape)


def pullover(s: Sketch) -> np.ndarray:
    """Draw a pullover: long sleeves, a ribbed hem, an open neck or a collar."""
    a = np.abs(s.u)
    top, hem = s.uniform(-0.92, -0.78), s.uniform(0.62, 0.92)
    slope = s.uniform(0.2, 0.45)
    shoulder = s.uniform(0.5, 0.66)
    waist = shoulder * s.uniform(0.75, 0.98)
    cloth = fabric(s, patterned=0.4, checks=0, rows=0.9, columns=0)
    width = s.uniform(0.18, 0.3)
    neck = _neckline(s, a, top, width)
    trunk = _body(s, a, top, hem, (shoulder, waist, waist * s.uniform(0.88, 1.05)), slope)
    collared = s.chance(0.35)
    body = np.where(collared, trunk, both(trunk, -neck))
    reach = (hem - top) * s.uniform(0.75, 0.98)
    sleeves = _sleeves(s, a, top, shoulder, reach, s.uniform(0.08, 0.34), slope)
    _trunk_and_sleeves(s, body, sleeves, cloth)
    rib = contrast(s, cloth, 0.2)
    band = s.uniform(0.07, 0.16)
    s.paint(hem - band - s.v, rib, within=body, share=0.7)
    s.paint(only(~collared & s.chance(0.6), neck - 0.08), rib, within=body)
    roll = box(s.u, s.v - top, width, s.uniform(0.08, 0.16))
    hood = ellipse(s.u, s.v - top - 0.02, width + 0.12, s.uniform(0.14, 0.24))
    collar = np.where(s.chance(0.6), roll, hood)
    s.paint(only(collared, collar), round_off(collar, rib))
    s.paint(_chest_print(s), contrast(s, cloth, 0.2), within=body, share=0.25)
    return s.image


def coat(s: Sketch) -> np.ndarray:
    """Draw a coat: long sleeves and an opening from collar to hem, with fastenings."""
    a = np.abs(s.u)
    top, hem = s.uniform(-0.95, -0.82), s.uniform(0.84, 0.99)
    slope = s.uniform(0.22, 0.5)
    shoulder = s.uniform(0.59, 0.74)
    waist = shoulder * s.uniform(0.75, 0.98)
    cloth = fabric(s, patterned=0.15, checks=0.3, rows=0.1, columns=0)
    trunk = _body(s, a, top, hem, (shoulder, waist, waist * s.uniform(1.02, 1.3)), slope)
    reach = (hem - top) * s.uniform(0.72, 0.98)
    sleeves = _sleeves(s, a, top, shoulder, reach, s.uniform(0.08, 0.34), slope)
    _trunk_and_sleeves(s, trunk, sleeves, cloth)
    trim = contrast(s, cloth, 0.35)
    across = s.u - s.uniform(-0.12, 0.12)
    gap = s.chance(0.4) * s.uniform(0.05, 0.18)
    opening = np.abs(across) - s.uniform(0.04, 0.07) - gap * (s.v + 1.0) / 2.0
    s.paint(opening, np.where(gap > 0.0, 0.4 * trim, trim), within=trunk)
    lapel = _lapels(s, across, top)
    s.paint(lapel, round_off(lapel, trim, 0.06), within=trunk, share=0.9)
    buttons = _button_row(s, np.abs(across) - s.uniform(0.1, 0.2), top + 0.5, hem - 0.15)
    s.paint(buttons, contrast(s, cloth, 0.4), share=0.5)
    pocket = box(a - 0.5 * waist - 0.08, s.v - s.uniform(0.2, 0.45), 0.15, 0.045)
    s.paint(pocket, trim, within=trunk, share=0.7)
    belt = both(trunk, np.abs(s.v - s.uniform(0.0, 0.15)) - 0.05)
    s.paint(belt, contrast(s, cloth, 0.3), share=0.15)
    fur = ellipse(s.u, s.v - top - 0.03, s.uniform(0.24, 0.4), s.uniform(0.12, 0.22))
    s.paint(fur, round_off(fur, contrast(s, cloth)), share=0.25)
    return s.image


def _lapels(s: Sketch, across: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Draw two wedges that meet below the throat."""
    length, width = s.uniform(0.25, 0.7), s.uniform(0.2, 0.36)
    t = (s.v - top) / length
    wedge = np.abs(np.abs(across) - width * (1.0 - t)) - 0.09 * (1.1 - t)
    return both(wedge, (t - 1.0) * length)


def _button_row(s: Sketch, x, start, stop) -> np.ndarray:
    """Draw a column of dots between two heights."""
    pitch = s.uniform(0.18, 0.34)
    y = np.mod(s.v - start, pitch) - pitch / 2.0
    dots = np.hypot(x, y) - s.uniform(0.03, 0.055)
    return both(dots, start - s.v, s.v - stop)


def shirt(s: Sketch) -> np.ndarray:
    """Draw a shirt: a collar, a button row, sleeves of any length, a curved hem."""
    a = np.abs(s.u)
    top, hem = s.uniform(-0.93, -0.8), s.uniform(0.7, 0.92)
    slope = s.uniform(0.18, 0.42)
    shoulder = s.uniform(0.46, 0.6)
    waist = shoulder * s.uniform(0.76, 0.96)
    cloth = fabric(s, patterned=0.85, checks=0.55, rows=0, columns=0.35)
    widths = (shoulder, waist, waist * s.uniform(0.98, 1.18))
    trunk = _body(s, a, top, hem, widths, slope, rounding=s.uniform(0.0, 0.5))
    long = s.chance(0.5)
    length = np.where(long, (hem - top) * s.uniform(0.6, 0.9), s.uniform(0.3, 0.65))
    spread = np.where(long, s.uniform(0.08, 0.32), length * s.uniform(0.4, 0.7))
    sleeves = _sleeves(s, a, top, shoulder, length, spread, slope)
    sleeves = only(s.chance(0.93), sleeves)
    throat = _neckline(s, a, top, s.uniform(0.1, 0.2))
    body = both(trunk, -throat)
    _trunk_and_sleeves(s, body, sleeves, cloth)
    s.paint(throat, 0.5 * cloth, within=trunk)
    trim = contrast(s, cloth, 0.35)
    end = np.where(s.chance(0.25), top + s.uniform(0.5, 0.9), hem)
    placket = both(np.abs(s.u) - s.uniform(0.03, 0.05), s.v - end)
    s.paint(placket, trim, within=body, share=0.96)
    buttons = _button_row(s, s.u, top + 0.3, end - 0.05)
    s.paint(buttons, contrast(s, cloth, 0.4), within=body, share=0.8)
    collar = limb(
        a,
        s.v,
        (s.uniform(0.08, 0.12), top + 0.05),
        (s.uniform(0.16, 0.28), top + s.uniform(0.16, 0.28)),
        0.07,
        0.03,
    )
    collar = both(collar, top - 0.03 - s.v)
    s.paint(collar, round_off(collar, contrast(s, cloth, 0.2), 0.05), share=0.85)
    pocket = box(s.u - s.uniform(0.2, 0.27), s.v + s.uniform(0.15, 0.3), 0.1, 0.12)
    s.paint(np.abs(pocket) - 0.02, trim, within=body, share=0.3)
    return s.image


def dress(s: Sketch) -> np.ndarray:
    """Draw a dress: narrow and long, waisted or straight, with or without sleeves."""
    a = np.abs(s.u)
    top, hem = s.uniform(-0.97, -0.85), s.uniform(0.85, 0.99)
    slope = s.uniform(0.1, 0.4)
    shoulder = s.uniform(0.22, 0.38)
    waist = shoulder * s.uniform(0.65, 1.0)
    flare = waist * s.uniform(1.0, 2.1)
    cloth = fabric(s, patterned=0.55, checks=0.1, rows=0.3, columns=0.15)
    middle = s.uniform(-0.35, 0.1)
    width = curve(s.v, (top, shoulder), (middle, waist), (hem, flare))
    trunk = both(a - width, top + slope * a - s.v, s.v - hem)
    body = both(trunk, -_neckline(s, a, top, shoulder * s.uniform(0.4, 0.75)))
    kind = s.uniform(0.0, 1.0)
    bare, long = kind < 0.45, kind > 0.75
    length = np.where(long, s.uniform(0.8, 1.25), s.uniform(0.25, 0.5))
    spread = np.where(long, s.uniform(0.1, 0.36), length * s.uniform(0.35, 0.7))
    sleeves = _sleeves(s, a, top, shoulder + 0.03, length, spread, slope)
    sleeves = only(~bare, sleeves)
    _trunk_and_sleeves(s, body, sleeves, cloth)
    trim = contrast(s, cloth)
    sash = both(trunk, np.abs(s.v - middle) - s.uniform(0.02, 0.07))
    s.paint(sash, trim, share=0.4)
    pleats = 0.05 * np.sin(s.uniform(14.0, 24.0) * s.u / np.maximum(width, 0.2))
    s.paint(both(trunk, pleats, middle - s.v), cloth * 0.8, share=0.25)
    s.paint(hem - 0.12 - s.v, trim, within=trunk, share=0.2)
    return s.image


def trouser(s: Sketch) -> np.ndarray:
    """Draw trousers: two legs below a waistband."""
    a = np.abs(s.u)
    top, hem = s.uniform(-0.98, -0.85), s.uniform(0.85, 0.99)
    hip = s.uniform(0.26, 0.42)
    crotch = top + s.uniform(0.4, 0.7)
    cloth = fabric(s, patterned=0.3, checks=0.2, rows=0.1, columns=0.3)
    stance = hip * s.uniform(0.55, 0.95)
    knee, ankle = hip * s.uniform(0.38, 0.5), hip * s.uniform(0.24, 0.55)
    centre = curve(s.v, (crotch, hip * 0.5), (hem, stance))
    width = curve(s.v, (crotch, hip * 0.53), (0.3, knee), (hem, ankle))
    legs = both(np.abs(a - centre) - width, crotch - 0.05 - s.v, s.v - hem)
    seat = curve(s.v, (top, hip * s.uniform(0.78, 0.95)), (crotch, hip))
    seat = both(a - seat, top - s.v, s.v - crotch)
    s.paint(legs, round_off(legs, cloth, 0.08))
    s.paint(seat, round_off(seat, cloth, 0.08))
    trim = contrast(s, cloth)
    s.paint(s.v - top - 0.1, trim, within=seat, share=0.5)
    s.paint(a - 0.02, trim, within=seat, share=0.5)
    pocket = np.abs(a + s.v - top - hip - 0.1) - 0.03
    s.paint(pocket, trim, within=seat, share=0.4)
    worn = ellipse(a - centre, s.v - s.uniform(-0.1, 0.4), 0.5 * knee, 0.3)
    s.paint(worn, cloth + (1.0 - cloth) * 0.35, within=legs, share=0.3)
    return s.image
