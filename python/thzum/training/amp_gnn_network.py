# SPDX-License-Identifier: GPL-3.0-or-later
"""AMP for MIMO detection, calibrated by a graph network, in PyTorch: the twin of the C++ detector ``amp_gnn``."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

#: Bounds of what the network may do: shift of an estimate in standard deviations, logarithm of the factor on its
#: variance, and state.
SHIFT_LIMIT, SCALE_LIMIT, STATE_LIMIT = 4.0, 4.0, 3.0

#: Smallest variance of an estimate, in units of (half the distance of two levels)^2.
MIN_VARIANCE = 1e-6

#: Features of a node beside its state and what comes from its neighbours.
ODD_FEATURES, EVEN_FEATURES = 5, 10


def softsign(x, limit):
    """x smoothly kept within +-limit."""
    return limit * x / (limit + x.abs())


def squash(x):
    """x smoothly kept within +-1, linear for small x."""
    return x / torch.sqrt(1 + x * x)


class Moments(torch.autograd.Function):
    """Mean and variance of a level l seen as r with error variance s, and their derivatives in closed form.

    d E[f] / dr = Cov(f, l) / s and d E[f] / ds = Cov(f, (l - r)^2) / (2 s^2).
    """

    @staticmethod
    def forward(context, r, s, levels):
        p = torch.softmax((levels - r[..., None]).square_().mul_(-0.5 / s[..., None]), -1)
        x = p @ levels
        deviation = levels - x[..., None]
        square = deviation * deviation
        weighted = p.mul_(square)
        v = weighted.sum(-1)
        context.save_for_backward(r, s, x, v, (weighted * deviation).sum(-1), (weighted * square).sum(-1))
        return x, v

    @staticmethod
    def backward(context, by_x, by_v):
        r, s, x, v, third, fourth = context.saved_tensors
        pull = x - r
        by_r = (by_x * v + by_v * third) / s
        by_s = by_x * (third + 2 * v * pull) + by_v * (fourth - v * v + 2 * pull * third)
        return by_r, by_s / (2 * s * s), None


class SignEquivariant(nn.Module):
    """Perceptron of odd and even features: odd outputs change sign with the odd inputs, even outputs do not.

    Every hidden unit comes as a pair relu(b + a), relu(b - a), a odd and b even. Layers mix the differences of pairs
    into odd and their sums into even numbers, so the symmetry holds for any weights.
    """

    def __init__(self, odd, even, hidden, layers, odd_out, even_out):
        super().__init__()
        odd_sizes, even_sizes = [odd] + [hidden] * layers + [odd_out], [even] + [hidden] * layers + [even_out]
        self.odd = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in zip(odd_sizes, odd_sizes[1:]))
        self.even = nn.ModuleList(nn.Linear(a, b) for a, b in zip(even_sizes, even_sizes[1:]))

    def matrices(self):
        """The equal plain perceptron on (odd, even) features side by side: [(weight, bias)] of its layers."""
        layers = []
        for depth, (odd, even) in enumerate(zip(self.odd, self.even)):
            u, w, c = odd.weight, even.weight, even.bias
            if depth == 0:
                weight = torch.cat([torch.cat([u, -u]), torch.cat([w, w])], 1)
            elif depth < len(self.odd) - 1:
                weight = torch.cat([torch.cat([w + u, w - u]), torch.cat([w - u, w + u])], 1)
            else:
                weight = torch.cat([torch.cat([u, -u], 1), torch.cat([w, w], 1)])
            last = depth == len(self.odd) - 1
            layers.append((weight, torch.cat([c.new_zeros(len(u)) if last else c, c])))
        return layers

    def forward(self, features):
        """[..., odd + even] -> [..., odd_out + even_out]."""
        matrices = self.matrices()
        for weight, bias in matrices[:-1]:
            features = torch.relu(functional.linear(features, weight, bias))
        return functional.linear(features, *matrices[-1])


@dataclass(frozen=True)
class Plan:
    """How many steps are done.

    Attributes:
        warm: AMP steps before the first call of the network.
        inner: AMP steps between two calls.
        calls: calls of the network.
    """

    warm: int = 6
    inner: int = 5
    calls: int = 5


class AmpGnn(nn.Module):
    """Approximate message passing on the Gram matrix whose estimates a graph network calibrates.

    A node is a real amplitude. AMP (scalar row variance, Onsager's term) gives it an estimate r = amplitude + error and
    the error's variance s. At a call, the network sees each node's estimate, its state, and the states of all
    others summed with the normalised off-diagonal Gram matrix (odd states) and with its elementwise square (even
    ones); it answers with a shift of r, a factor on s, a damping, and new states. Shift, factor and damping hold for
    the AMP steps up to the next call.
    """

    def __init__(self, plan=Plan(), odd_states=8, even_states=6, hidden=32, layers=1, stages=4):
        super().__init__()
        self.plan, self.odd_states, self.even_states, self.stages = plan, odd_states, even_states, stages
        self.update = SignEquivariant(
            ODD_FEATURES + 2 * odd_states, EVEN_FEATURES + 2 * even_states + stages, hidden, layers,
            1 + odd_states, 2 + even_states,
        )
        with torch.no_grad():
            self.update.odd[-1].weight[:1] = 0.0
            self.update.even[-1].weight[:2] = 0.0
            self.update.even[-1].bias[:2] = torch.tensor([0.0, 2.0])

    def forward(self, batch, calls=None):
        """Logarithms of the levels' posterior probabilities after each call, a list of [B, n, L]."""
        state = self.start(batch)
        return [self.advance(state, 1) for _ in range(calls or self.plan.calls)]

    def start(self, batch):
        """The iteration's variables before anything is done."""
        return _State(self, batch)

    def hardest(self, batch, count, skip):
        """State of the vectors least certain after two calls, ``skip`` calls later, and their indices."""
        with torch.no_grad():
            state = self.start(batch)
            self.advance(state, 2)
            # All beyond one wrong amplitude in twenty vectors are alike, and come in their random order.
            chosen = torch.argsort(state.expected_errors.clamp(max=0.05), descending=True, stable=True)[:count]
            state.select(chosen)
            self.advance(state, skip)
        return state, chosen

    def advance(self, state, calls):
        """``calls`` more calls with the AMP steps before them; log-probabilities [B, n, L] after the last."""
        for _ in range(calls):
            for _ in range(self.plan.inner if state.calls else self.plan.warm):
                state.amp_step()
            state.network_step(self.update, min(state.calls, self.stages - 1))
        return state.logits()


class _State:
    """The iteration's variables, [B, n] unless said otherwise."""

    def __init__(self, network, batch):
        count, n = batch.matched.shape
        self.network, self.levels, self.calls = network, batch.levels, 0
        energy = torch.diagonal(batch.gram, dim1=1, dim2=2).clamp_min(1e-6)
        self.energy = energy
        self.coupling = (batch.gram - torch.diag_embed(torch.diagonal(batch.gram, dim1=1, dim2=2))) / energy[..., None]
        self.squared = self.coupling * self.coupling
        self.matched = batch.matched / energy
        self.noise = batch.noise_var / energy
        self.noise_var, self.rows = batch.noise_var, batch.rows
        self.prior = (len(batch.levels) ** 2 - 1) / 3.0
        zeros, ones = torch.zeros(count, n), torch.ones(count, n)
        self.x, self.v, self.memory = zeros, self.prior * ones, zeros
        self.spread = torch.zeros(count, 1)
        self.shift, self.scale, self.keep = zeros, ones, ones
        self.odd_state = torch.zeros(count, n, network.odd_states)
        self.even_state = torch.zeros(count, n, network.even_states)
        self.constants = torch.stack(
            [
                0.15 * torch.log(batch.noise_var).expand(count, n),
                softsign(torch.log(energy), 2.0),
                softsign((n / batch.rows - 0.5) * ones, 1.0),
                0.15 * math.log(self.prior) * ones,
            ],
            -1,
        )

    def moments(self, r, s):
        """Mean and variance of a level seen as r with error variance s."""
        return Moments.apply(r, s, self.levels)

    def linear_step(self, coupled, coupled_variance):
        """AMP's estimate and its variance from the neighbours' sums."""
        self.residual = self.matched - coupled - self.x
        spread = (self.energy * self.v).sum(1, keepdim=True) / self.rows
        self.memory = self.residual + self.memory * spread / (self.noise_var + self.spread)
        self.spread = spread
        return self.x + self.memory, (self.noise + coupled_variance).clamp_min(MIN_VARIANCE)

    def damp(self, x, v):
        self.x, self.v = self.x + self.keep * (x - self.x), self.v + self.keep * (v - self.v)

    def amp_step(self):
        coupled = torch.bmm(self.coupling, self.x[..., None])[..., 0]
        r, s = self.linear_step(coupled, torch.bmm(self.squared, self.v[..., None])[..., 0])
        self.damp(*self.moments(r + torch.sqrt(s) * self.shift, s * self.scale))

    def network_step(self, update, stage):
        odd_sum = torch.bmm(self.coupling, torch.cat([self.x[..., None], self.odd_state], -1))
        even_sum = torch.bmm(self.squared, torch.cat([self.v[..., None], self.even_state], -1))
        r, s = self.linear_step(odd_sum[..., 0], even_sum[..., 0])
        deviation = torch.sqrt(s)
        features = self.features(r, s, deviation, odd_sum[..., 1:], even_sum[..., 1:], stage)
        odd, even = update(features).split([1 + self.network.odd_states, 2 + self.network.even_states], -1)
        self.shift = softsign(odd[..., 0], SHIFT_LIMIT)
        self.scale = torch.exp(softsign(even[..., 0], SCALE_LIMIT))
        self.keep = 0.5 + 0.5 * softsign(even[..., 1], 1.0)
        self.odd_state = softsign(self.odd_state + odd[..., 1:], STATE_LIMIT)
        self.even_state = softsign(self.even_state + even[..., 2:], STATE_LIMIT)
        self.r, self.s = r + deviation * self.shift, s * self.scale
        x, v = self.moments(self.r, self.s)
        # A wrong level next to the right one, of probability p, leaves a variance of 4 p.
        self.expected_errors = 0.25 * v.detach().sum(1)
        self.damp(x, v)
        self.calls += 1

    def logits(self):
        """Log-probabilities of the levels, [B, n, L]."""
        return functional.log_softmax(-((self.r[..., None] - self.levels) ** 2) / (2 * self.s[..., None]), -1)

    def select(self, chosen):
        """Keeps the vectors ``chosen``."""
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor) and name != "levels":
                setattr(self, name, value[chosen])

    def features(self, r, s, deviation, odd_sums, even_sums, stage):
        """What the network sees, [B, n, odd + even]."""
        x, v = self.moments(r, s)
        pull = squash((r - x) / deviation)
        stages = torch.zeros(self.network.stages)
        stages[stage] = 1.0
        own_odd = torch.stack(
            [
                pull,
                squash(self.residual / deviation),
                squash((x - self.x) / deviation),
                2 * squash(r / (2 * math.sqrt(self.prior))),
                squash(x - self.x),
            ],
            -1,
        )
        own_even = torch.stack(
            [
                0.15 * torch.log(s),
                0.15 * torch.log((self.noise_var + self.spread) / self.energy),
                0.15 * torch.log(self.v + 1e-6),
                v / (v + s),
                pull * pull,
                0.15 * torch.log((self.residual**2 / s).mean(1, keepdim=True) + 1e-6).expand_as(s),
            ],
            -1,
        )
        return torch.cat(
            [own_odd, self.odd_state, odd_sums, own_even, self.constants, self.even_state, even_sums,
             stages.expand(*r.shape, -1)],
            -1,
        )
