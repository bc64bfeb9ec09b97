# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: users, direct, reflected, clustered and diffuse paths, their loss, obstruction and motion."""

from .clusters import Clusters
from .diffuse import Diffuse
from .line_of_sight import LineOfSight
from .loss import LossAtFrequency, PathLoss
from .mobility import LinearTrajectory, Mobility, MovingPaths, WaypointTrajectory
from .obstruction import Blockage, Visibility
from .rays import Rays
from .reflections import ImageReflections, Reflections, Room
from .scene import Scene
from .users import FixedUsers, RoomUsers, SectorUsers

__all__ = [
    "Blockage",
    "Clusters",
    "Diffuse",
    "FixedUsers",
    "ImageReflections",
    "LineOfSight",
    "LinearTrajectory",
    "LossAtFrequency",
    "Mobility",
    "MovingPaths",
    "PathLoss",
    "Rays",
    "Reflections",
    "Room",
    "RoomUsers",
    "Scene",
    "SectorUsers",
    "Visibility",
    "WaypointTrajectory",
]
