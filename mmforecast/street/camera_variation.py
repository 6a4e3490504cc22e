"""Cameras as various as those of real cars: lens, mount, rocking and steering of one sequence."""

from dataclasses import dataclass, replace

import numpy as np

from .camera import Camera, CameraPose

__all__ = ['CameraVariation']


@dataclass(frozen=True)
class CameraVariation:
    """How the camera of one sequence differs from the steady standard camera.

    A real car rocks: pitch and roll return to their mean within a few tenths of a second, so they have no
    memory from one step of 0.2 s to the next. Yaw has one: turns begin and end smoothly.

    Attributes:
        focal: Focal length in widths of the frame.
        height: Of the camera over the ground, in meters.
        pitch: Constant pitch in radians, positive downwards.
        pitch_noise, roll_noise: Standard deviation of the rocking in radians.
        yaw_noise: Standard deviation of the steering's yaw rate in radians per second.
    """

    focal: float
    height: float
    pitch: float
    pitch_noise: float
    roll_noise: float
    yaw_noise: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> 'CameraVariation':
        """A camera between those of KITTI, CamVid and Cityscapes, and somewhat beyond."""
        rocking = rng.exponential(np.deg2rad(0.15))
        return cls(
            focal=float(np.exp(rng.uniform(np.log(0.5), np.log(1.3)))),
            height=float(rng.uniform(1.1, 2.0)),
            pitch=float(rng.normal(0.01, 0.015)),
            pitch_noise=float(min(rocking, 0.01)),
            roll_noise=float(min(rocking * rng.uniform(0.3, 0.9), 0.008)),
            yaw_noise=float(rng.exponential(np.deg2rad(1.2))),
        )

    def camera(self, standard: Camera) -> Camera:
        """The standard camera with this focal length."""
        return replace(standard, focal=self.focal * standard.width)

    def poses(
        self, standard: list[CameraPose], times: np.ndarray, rng: np.random.Generator
    ) -> list[CameraPose]:
        """The standard camera's poses, rocking and steering.

        Args:
            standard: One pose per time.
            times: (T,) in seconds, evenly spaced.
            rng: Source of the motion.
        """
        pitch, roll = (_smooth_noise(rng, times, memory=0.06) * s for s in (self.pitch_noise, self.roll_noise))
        rate = _smooth_noise(rng, times, memory=0.7) * self.yaw_noise
        yaw = np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(times))])
        return [
            replace(
                pose,
                height=self.height,
                yaw=pose.yaw + float(yaw[i]),
                pitch=pose.pitch + self.pitch + float(pitch[i]),
                roll=float(roll[i]),
            )
            for i, pose in enumerate(standard)
        ]


def _smooth_noise(rng: np.random.Generator, times: np.ndarray, memory: float) -> np.ndarray:
    """Gaussian noise (T,) of mean 0 and deviation 1 whose correlation falls off within ``memory`` seconds."""
    gaps = times[:, None] - times
    covariance = np.exp(-0.5 * (gaps / memory) ** 2) + 1e-6 * np.eye(len(times))
    return np.linalg.cholesky(covariance) @ rng.standard_normal(len(times))
