# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffuse scattering around reflected paths."""

from dataclasses import dataclass

import numpy as np

from ..hardware.checks import integer, real
from ..paths import PathKind
from .component import Component, probability
from .rays import Rays


@dataclass(frozen=True)
class Diffuse(Component):
    """A rough surface scatters part of a reflection's power into rays around it.

    The specular path keeps the share 1 - power_fraction of its power, the rays share the rest: in proportion to
    exp(-t / delay_spread) for a ray that is t later than the specular path, t being exponential of that mean.
    Together they have the power the specular path had. Directions are Gaussian around it, phases are uniform.

    Attributes:
        n_rays: around every reflected path.
        power_fraction: share of the power that is scattered, 0 to 1.
        angular_spread_deg: standard deviation along each of two axes across the specular direction.
        delay_spread: mean extra delay in s.
    """

    n_rays: int = 20
    power_fraction: float = 0.2
    angular_spread_deg: float = 5.0
    delay_spread: float = 0.5e-9

    def __post_init__(self):
        self._set(
            n_rays=integer("n_rays", self.n_rays, 1, 10000),
            power_fraction=probability("power_fraction", self.power_fraction),
            angular_spread_deg=real("angular_spread_deg", self.angular_spread_deg, low=0.0, high=45.0),
            delay_spread=real("delay_spread", self.delay_spread, low=0.0),
        )

    def draw(self, array, specular, rng):
        """:class:`Rays` [B, K, L n_rays] around ``specular`` [B, K, L], whose amplitudes are lowered in place."""
        shape = (*specular.amplitude.shape, self.n_rays)
        late = self.delay_spread * rng.exponential(1.0, shape)
        weight = np.exp(-late / self.delay_spread) if self.delay_spread else np.ones(shape)
        weight /= np.sum(weight, axis=-1, keepdims=True)
        amplitude = specular.amplitude[..., None] * np.sqrt(self.power_fraction * weight)
        specular.amplitude *= np.sqrt(1 - self.power_fraction)
        local = array.to_local(specular.source)
        distance = np.linalg.norm(local, axis=-1)[..., None]
        offset = np.deg2rad(self.angular_spread_deg) * rng.standard_normal((*shape, 3))
        direction = local / distance
        # Of a Gaussian vector, only the part across the direction turns it.
        offset -= np.sum(offset * direction[..., None, :], axis=-1, keepdims=True) * direction[..., None, :]
        turned = direction[..., None, :] + offset
        turned[..., 2] = np.abs(turned[..., 2])
        turned *= (distance / np.linalg.norm(turned, axis=-1))[..., None]
        flat = (*shape[:-2], shape[-2] * shape[-1])
        return Rays(
            amplitude=amplitude.reshape(flat),
            delay=(specular.delay[..., None] + late).reshape(flat),
            source=array.to_world(turned).reshape(*flat, 3),
            kind=np.full(flat, PathKind.DIFFUSE, np.int8),
            phase=rng.uniform(-np.pi, np.pi, flat),
            follow=np.repeat(specular.follow, self.n_rays, axis=-2),
        )
