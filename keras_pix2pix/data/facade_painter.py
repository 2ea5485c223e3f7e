"""Draws the photo-like half of a synthetic facade."""

import numpy as np
from PIL import Image, ImageFilter

__all__ = ["FacadePainter"]

# How far a class stands out of the wall (or back, below 0), in line widths: sets the length of its shadow.
_DEPTH = {
    "pillar": 1.5,
    "molding": 3,
    "deco": 1,
    "window": -1,
    "blind": 1,
    "cornice": 3,
    "sill": 2,
    "door": -2,
    "shop": -1,
    "balcony": 4,
}

# Wall material: course height, block length in courses, spread of the block tones, tone of joints, colours.
_MATERIALS = [
    (0.024, 2.4, 0.10, 1.25, [(142, 82, 66), (164, 112, 84), (118, 76, 68)]),  # brick
    (0.062, 1.9, 0.06, 0.70, [(184, 168, 140), (160, 156, 150), (196, 176, 134)]),  # stone
    (9.0, 9.0, 0.02, 0.93, [(214, 182, 122), (206, 160, 136), (176, 182, 166), (210, 202, 186)]),  # plaster
]


class FacadePainter:
    """The picture being drawn, and the style that all parts of one building share.

    Every method named after a class takes what is behind the box and the box's pixel coordinates, and
    returns the new pixels.
    """

    def __init__(self, random: np.random.Generator, height: int, width: int) -> None:
        self.random = random
        self.line = max(1, round(min(height, width) / 150))
        self.sun = random.choice([-1, 1])
        self.material = _MATERIALS[random.integers(3)]
        self.colour = np.array(self.material[4])[random.integers(3)] * random.uniform(0.9, 1.08)
        self.stone = 0.3 * self.colour + 0.7 * np.array([214, 206, 190])
        self.frame = np.array([(216, 216, 212), (74, 54, 44)])[random.integers(2)]
        self.wood = np.array([(104, 62, 36), (44, 66, 52), (66, 40, 36)])[random.integers(3)]
        self.accent = np.array([(58, 92, 66), (116, 62, 46), (70, 92, 116)])[random.integers(3)]
        self.sky = np.array([(150, 186, 226), (204, 214, 224)])[random.integers(2)]
        self.pixels = np.empty((height, width, 3), np.float32)

    def clouds(self, cells: int) -> np.ndarray:
        """Smooth noise of about unit spread over the whole picture."""
        grid = self.random.standard_normal((cells, cells), np.float32)
        size = self.pixels.shape[1::-1]
        return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))[..., None]

    def draw(self, name: str, top: int, left: int, bottom: int, right: int) -> None:
        """Draws one box with the shadow it casts, or the shadow that falls into it."""
        depth = round(_DEPTH.get(name, 0) * self.line)
        # Two steps make a soft edge. The shadow falls down, away from the sun, and on the wall only.
        for reach in (depth, depth // 2):
            if reach > 0:
                start, end = np.clip([left - self.sun * reach, right - self.sun * reach], *self.wall_sides)
                self.pixels[top + reach : bottom + reach, start:end] *= 0.78
        if depth < 0:
            head, side = max(0, top - self.line), max(0, left - self.line)
            self.pixels[head:bottom, side : right + self.line] = self.stone
        box = self.pixels[top:bottom, left:right]
        y, x = np.arange(bottom - top)[:, None, None], np.arange(right - left)[:, None]
        box[:] = getattr(self, name)(box, y, x)
        if depth < 0:
            box[:-depth] *= 0.55
            box[:, slice(depth, None) if self.sun > 0 else slice(-depth)] *= 0.8

    def background(self, top: int, left: int, bottom: int, right: int) -> None:
        self.wall_sides = left, right
        height, width, _ = self.pixels.shape
        y, x = np.arange(height)[:, None, None], np.arange(width)[:, None]
        self.pixels[:] = self.sky + (y / height) * 40 + 9 * self.clouds(5)
        # Neighbours: duller houses with dark windows, lower than this one.
        storey, eaves = height // 7 + 1, top + height // 12
        pane = ((y - eaves) % storey > storey * 0.45) & (x % (storey * 0.6) > storey * 0.3)
        house = np.where(pane, [58, 62, 70], [128, 120, 114])
        self.pixels[eaves:] = (house + 6 * self.clouds(48))[eaves:]
        self.pixels[bottom:] = 96 + 7 * self.clouds(64)[bottom:]
        # A hipped roof with courses of tiles.
        ridge = top - round(top * 0.62)
        slope = (top - y) * 0.8
        roof = (y >= ridge) & (y < top) & (x >= left + slope) & (x < right - slope)
        tiles = np.array([112, 66, 52]) * (0.75 + 0.25 * ((y // self.line) % 3 > 0)) + 8 * self.clouds(64)
        np.copyto(self.pixels, tiles, where=roof, casting="same_kind")

    def wall(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        height, width, _ = self.pixels.shape
        course, ratio, spread, joint, _ = self.material
        course = max(3, round(course * min(height, width)))
        block = max(4, round(course * ratio))
        row = y // course
        along = x + row % 2 * (block // 2)
        tones = self.random.normal(1, spread, (row.max() + 1, along.max() // block + 1))
        gap = (y % course < self.line) | (along % block < self.line)
        tone = np.where(gap, joint, tones[row, along // block])
        grain = self.clouds(max(height, width) // 2)
        stains = 0.035 * self.clouds(7) + 0.03 * self.clouds(40) + 0.045 * grain
        return self.colour * (tone + stains[: len(y), : len(x)])

    def ledge(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        down = y / len(y)
        tone = 1.15 - 0.4 * down
        if len(y) >= 5 * self.line:  # room for a row of dentils
            tone = tone - 0.3 * ((down > 0.45) & (down < 0.8) & (x // (2 * self.line) % 2 > 0))
        return self.stone * (tone + 0 * x)

    molding = cornice = sill = ledge

    def pillar(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        across = (x + 0.5) / len(x) - 0.5 - 0.2 * self.sun
        joint = (y + self.line) % (len(y) // 6 + 1) < self.line
        return self.stone * (1.16 - 1.3 * across**2 - 0.25 * joint)

    def deco(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        across, down = (x + 0.5) / len(x) * 2 - 1, (y + 0.5) / len(y) * 2 - 1
        rim = np.abs(across) + np.abs(down) - 0.8
        lit = np.sign(across * self.sun - down)
        return self.stone * (0.88 + 0.1 * (rim < 0) + 0.22 * lit * (np.abs(rim) < 0.22))

    def blind(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        rim = (x < self.line) | (x >= len(x) - self.line)
        return self.accent * np.where(rim, 1.0, 0.72 + 0.4 * (y // self.line % 3 > 0))

    def window(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        line, height, width = self.line, len(y), len(x)
        across, down = (x + 0.5) / width, (y + 0.5) / height
        streak = (across * self.sun + 0.7 * down + self.random.random()) % 1.0 < 0.25
        shine = np.clip(0.42 - 0.42 * down + 0.18 * streak, 0, 1)
        glass = np.array([28, 36, 48]) * (1 - shine) + self.sky * shine
        opening = self.random.uniform(0.28, 0.7) + 0.1 * down
        folds = (0.82 + 0.1 * np.sin(across * 44)) * (1 - 0.25 * down)
        glass = np.where(np.abs(across - 0.5) > opening, np.array([186, 180, 170]) * folds, glass)
        frame = (y < line) | (y >= height - line) | (x < line) | (x >= width - line)
        if width >= 8 * line:  # room for a mullion and a transom
            frame = frame | (x // line == width // line // 2)
            frame = frame | (y // line == round(height / line * 0.35))
        return np.where(frame, self.frame, glass)

    def door(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        light = len(y) // 5
        tall, wide = (len(y) - light) // 3 + 1, len(x) // 2 + 1
        down, across = (y - light) % tall / tall, x % wide / wide
        panel = (np.abs(down - 0.5) < 0.34) & (np.abs(across - 0.5) < 0.3)
        edge = panel & ((down < 0.26) | (across < 0.3))
        wood = self.wood * (1.1 - 0.3 * panel - 0.3 * edge)
        wood[:light] = self.window(behind, y[:light], x)
        return wood

    def shop(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        line, height, width = self.line, len(y), len(x)
        down, across = (y + 0.5) / height, (x + 0.5) / width
        streak = (across * self.sun + 0.5 * down + self.random.random()) % 0.5 < 0.12
        goods = self.random.uniform(0.2, 1.0, (6, 8))[(down * 6).astype(int), (across * 8).astype(int)]
        lamps = np.array([206, 160, 100]) * np.where(down > 0.6, goods, 0.75 - 0.4 * down)
        post = x // line % max(4, width // line // 3) == 0
        front = np.where(post, self.wood, lamps + 0.16 * streak * self.sky)
        front = np.where(down > 0.9, self.wood * 0.8, front)
        awning = np.where(x // (2 * line) % 2 > 0, self.accent * 1.3, 226) * (1.1 - down)
        front = np.where(down < 0.44, np.where(down < 0.36, awning, front * 0.5), front)
        letters = (np.abs(down - 0.08) < 0.04) & (np.abs(across - 0.5) < 0.35) & (x // line % 3 > 0)
        return np.where(down < 0.16, np.where(letters, 236, self.accent), front)

    def balcony(self, behind: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        height, width = len(y), len(x)
        slab = y >= height * 0.78
        iron = (x // self.line % 3 == 0) | (y < self.line) | (x >= width - self.line)
        return np.where(slab, self.stone * (1.5 - 0.55 * y / height), np.where(iron, 40, behind * 0.75))

    def photograph(self) -> np.ndarray:
        """The canvas as a camera sees it: uneven light, fall-off to the corners, blur and noise."""
        height, width, _ = self.pixels.shape
        y, x = np.linspace(-1, 1, height)[:, None, None], np.linspace(-1, 1, width)[:, None]
        light = 1.03 + 0.05 * self.sun * x - 0.03 * y - 0.09 * (x**2 + y**2) + 0.03 * self.clouds(3)
        self.pixels *= light
        picture = Image.fromarray(np.clip(self.pixels, 0, 255).astype(np.uint8))
        picture = picture.filter(ImageFilter.GaussianBlur(0.35 * self.line))
        noise = self.random.standard_normal((height, width, 1), np.float32) * 3
        return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
