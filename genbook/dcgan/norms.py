r"""Batch normalisation whose scale and shift may depend on a class or on the code itself.

.. math:: y=\gamma(c)\odot\frac{x-\mu}{\sqrt{\sigma^2+\epsilon}}+\beta(c)

The mean μ and the variance σ² of each channel are those of the batch in training mode, and fixed
ones in evaluation mode. What differs is where γ and β come from: nowhere else (batch
normalisation), a row of a table (conditional batch normalisation), or a small network that reads z
(self-modulation).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN = 32
"""Hidden units of a self-modulation, as in the authors' code."""


class Norm(nn.Module):
    r"""Batch normalisation: one scale and one shift a channel, whatever the condition.

    Args:
        channels: C.
        condition: the size of what γ and β may depend on; here it is not read.

    Source:
        Ioffe and Szegedy (2015).

    Example:
        >>> x = torch.tensor([[1.0], [3.0]]).view(2, 1, 1, 1)
        >>> Norm(1, 5)(x, torch.zeros(2, 5)).flatten().round(decimals=3).tolist()
        [-1.0, 1.0]
    """

    def __init__(self, channels: int, condition: int = 0) -> None:
        super().__init__()
        self.plain = nn.BatchNorm2d(channels, affine=False, momentum=None)
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def coefficients(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        r"""γ and β for each condition, **[B, C]** each; here the same for all."""
        rows = len(condition)
        return self.scale.expand(rows, -1), self.shift.expand(rows, -1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalise **[B, C, H, W]**, scale and shift by the condition **[B, k]**."""
        scale, shift = self.coefficients(condition)
        return self.plain(x) * scale[:, :, None, None] + shift[:, :, None, None]


class ClassNorm(Norm):
    r"""Conditional batch normalisation: γ and β are rows of a table, one row a class.

    .. math:: \gamma(y)=\sum_c y_c\gamma_c,\qquad \beta(y)=\sum_c y_c\beta_c

    For a one-hot y that is a look-up; a mixture of classes mixes rows.

    Args:
        channels: C.
        condition: how many classes.

    Source:
        De Vries et al. (2017); Miyato and Koyama (2018).

    Example:
        >>> norm = ClassNorm(1, 3)
        >>> norm.shift.data = torch.tensor([[5.0], [6.0], [7.0]])
        >>> norm(torch.zeros(2, 1, 1, 1), torch.eye(3).flip(0)[:2]).flatten().tolist()
        [7.0, 6.0]
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__(channels)
        self.scale = nn.Parameter(torch.ones(condition, channels))
        self.shift = nn.Parameter(torch.zeros(condition, channels))

    def coefficients(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        r"""γ and β for each condition **[B, K]**, **[B, C]** each."""
        return condition @ self.scale, condition @ self.shift


class SelfNorm(Norm):
    r"""Self-modulation: γ and β come from the code z by a network of one hidden layer.

    .. math:: \gamma(z)=V_\gamma\max(0,Uz+b)+\gamma_0,\qquad
        \beta(z)=V_\beta\max(0,Uz+b)+\beta_0

    With V = 0, and so at the start, it is batch normalisation.

    Args:
        channels: C.
        condition: the size of z.
        hidden: units of the hidden layer.

    Source:
        Chen, Lucic, Houlsby and Gelly (2019); 32 hidden units from their code. Here both
        coefficients share the hidden layer, γ₀ and β₀ are learnt too, and V begins at zero.

    Example:
        >>> norm, z = SelfNorm(4, 2), torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
        >>> [bool((c == c[0]).all()) for c in norm.coefficients(z)]
        [True, True]
    """

    def __init__(self, channels: int, condition: int, hidden: int = HIDDEN) -> None:
        super().__init__(channels)
        self.read = nn.Linear(condition, hidden)
        self.write = nn.Linear(hidden, 2 * channels, bias=False)
        nn.init.zeros_(self.write.weight)

    def coefficients(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        r"""γ and β for each code **[B, k]**, **[B, C]** each."""
        scale, shift = self.write(functional.relu(self.read(condition))).chunk(2, 1)
        return self.scale + scale, self.shift + shift


class Free(Norm):
    r"""No normalisation: the input as it is.

    Example:
        >>> Free(1)(torch.full((1, 1, 1, 1), 7.0), torch.zeros(1, 0)).item()
        7.0
    """

    def __init__(self, channels: int, condition: int = 0) -> None:
        nn.Module.__init__(self)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map **[B, C, H, W]** to itself."""
        return x


NORMS: dict[str, type[Norm]] = {
    "batch": Norm,
    "class": ClassNorm,
    "self": SelfNorm,
    "none": Free,
}
