"""Motion along a path: distances under constant acceleration, and reservations of space over time."""

import numpy as np

__all__ = ['Bookings', 'Path', 'traveled']


def traveled(times: np.ndarray, speed: float, acceleration: float, top_speed: float = 14.0) -> np.ndarray:
    """Metres covered after ``times`` seconds; the speed stays within [0, top_speed]."""
    if acceleration == 0:
        return speed * times
    limit = 0.0 if acceleration < 0 else top_speed
    until = max(0.0, (limit - speed) / acceleration)
    changing = np.minimum(times, until)
    return (
        speed * changing
        + 0.5 * acceleration * changing**2
        + (times - changing) * (speed + acceleration * until)
    )


class Path:
    """Road places (s, d) over time, (T,) each, and the heading relative to the road in radians."""

    def __init__(self, s: np.ndarray, d: np.ndarray, heading: np.ndarray):
        self.s, self.d, self.heading = np.broadcast_arrays(s, d, heading)

    @property
    def crosswise(self) -> bool:
        """Whether it leads across the road rather than along it."""
        return bool(abs(np.sin(self.heading[0])) > 0.7)

    @classmethod
    def along(
        cls,
        times: np.ndarray,
        s0: float,
        d: float,
        speed: float,
        acceleration: float = 0.0,
        direction: int = 1,
        sway: float = 0.0,
        phase: float = 0.0,
    ) -> 'Path':
        """Along the road, ``direction`` +1 away from the start, swaying ``sway`` meters to the
        sides."""
        covered = traveled(times, speed, acceleration)
        offset = sway * np.sin(phase + covered / 5)
        slope = sway * np.cos(phase + covered / 5) / 5
        heading = (0.0 if direction > 0 else np.pi) + direction * np.arctan(slope)
        return cls(s0 + direction * covered, d + offset, heading)

    @classmethod
    def across(
        cls,
        times: np.ndarray,
        s: float,
        d0: float,
        speed: float,
        acceleration: float = 0.0,
        direction: int = 1,
    ) -> 'Path':
        """Across the road, ``direction`` +1 to the right."""
        return cls(
            np.full(len(times), s),
            d0 + direction * traveled(times, speed, acceleration),
            np.full(len(times), direction * np.pi / 2),
        )

    def shifted(self, ahead: float, direction: int) -> 'Path':
        """The path of something ``ahead`` meters further along the road."""
        return Path(self.s + direction * ahead, self.d, self.heading)


class Bookings:
    """Boxes in (s, d) that are taken at each frame; refuses whatever would run into another."""

    def __init__(self):
        self._taken: list[tuple[Path, float, float]] = []

    def book(self, path: Path, length: float, width: float, gap: float = 1.0, side_gap: float = 0.25) -> bool:
        """Take the place along the whole path if it is free; True if it was."""
        crosswise = path.crosswise
        extent_s, extent_d = (width, length) if crosswise else (length, width)
        for other, other_s, other_d in self._taken:
            near_s = np.abs(path.s - other.s) < (extent_s + other_s) / 2 + (side_gap if crosswise else gap)
            near_d = np.abs(path.d - other.d) < (extent_d + other_d) / 2 + (gap if crosswise else side_gap)
            if (near_s & near_d).any():
                return False
        self._taken.append((path, extent_s, extent_d))
        return True
