"""The machine of the chapter: what it shows is what the chapter's functions say."""

from __future__ import annotations

import itertools

import pytest
import torch
from vae.given import seeded

from genbook.kit.machine import weights
from genbook.kit.machine.parts import Twin
from genbook.vae import machines
from genbook.vae.models import VAE, Gaussian, gaussian_kl, prior_log_prob

SIZE = (4, 4)


@pytest.fixture(scope="module")
def model():
    return VAE(16, 2, hidden=(12,), generator=seeded(0))


@pytest.fixture(scope="module")
def rounded(model):
    """The model as the page has it."""
    other = VAE(16, 2, hidden=(12,), generator=seeded(0))
    with torch.no_grad():
        ours = weights.rounded(list(model.parameters()))
        for parameter, new in zip(other.parameters(), ours, strict=True):
            parameter.copy_(new)
    return other


@pytest.fixture(scope="module")
def machine(model):
    draw = torch.rand(16, generator=seeded(1))
    return machines.plane(
        model, SIZE, {"drawn": draw, "nothing": torch.zeros(16)}, torch.zeros(5, 2)
    )


def twin_of(machine, data, rate=0.1):
    twin = Twin(machine, 1, {"rate": rate}, data)
    twin.look()
    return twin


def test_it_shows_the_models_own_guess_terms_and_images(machine, rounded):
    data = machine.data["drawn"].clone()
    data[-2:] = torch.tensor([0.3, -0.8])
    twin, x = twin_of(machine, data), data[None, :16]
    noise = machines.mirrored(machines.DRAWS, 2)
    with torch.no_grad():
        q = rounded.encode(x)
        fit = rounded.log_likelihood(x, q.place(noise)).mean()
        z = torch.cat([q.mean, data[None, 16:]])
        joint = rounded.log_likelihood(x, z[:, None])[:, 0] + prior_log_prob(z)
        drawn = rounded.decode(z).sigmoid()
    wanted = {
        "centre": q.mean[0], "fit": fit, "cost": gaussian_kl(q).sum(), "there": joint[0],
        "here": joint[1], "redrawn": drawn[0], "yours": drawn[1], "gained": torch.tensor(0.0),
        "bound": fit - gaussian_kl(q).sum(),
    }  # fmt: skip
    for name, value in wanted.items():
        torch.testing.assert_close(twin.targets[name], value, atol=1e-5, rtol=1e-5, msg=name)


def test_a_step_follows_the_slope_that_finite_differences_see(rounded):
    x = (torch.rand(1, 16, generator=seeded(2)) > 0.5).double()
    net, now = rounded.double(), torch.tensor([[0.4, -0.2], [-1.0, 0.3]]).double()
    noise = machines.mirrored(8, 2).double()
    step = machines.refined(net, x, now, noise, torch.tensor(1e-3).double())
    slope = torch.zeros(2, 2).double()
    for place in range(4):
        nudge = torch.zeros(4).double()
        nudge[place] = 1e-5
        up, down = (
            machines.bound_of(net, x, now + sign * nudge.view(2, 2), noise)[0] for sign in (1, -1)
        )
        slope.view(-1)[place] = (up - down) / 2e-5
    natural = torch.stack([now[1].exp() * slope[0], 2 * slope[1]])
    torch.testing.assert_close(step, 1e-3 * natural, atol=1e-9, rtol=1e-6)
    rounded.float()


@pytest.mark.parametrize("name", ["drawn", "nothing"])
def test_small_steps_never_lower_the_bound_and_end_at_its_top(machine, name):
    twin = twin_of(machine, machine.data[name])
    heights = [twin.targets["gained"].item()]
    for _ in range(80):
        twin.step()
        twin.look()
        heights.append(twin.targets["gained"].item())
    assert min(b - a for a, b in itertools.pairwise(heights)) > -1e-4
    assert heights[-1] > heights[0] + 1e-3
    assert heights[-1] - heights[-20] < 1e-3


def test_what_steps_found_for_one_image_does_not_count_for_another(machine):
    twin = twin_of(machine, machine.data["drawn"])
    for _ in range(3):
        twin.step()
    changed = machine.data["drawn"].clone()
    changed[0] = 1 - changed[0]
    twin.data = changed
    twin.look()
    assert twin.targets["gained"].item() == 0
    fresh = twin_of(machine, changed)
    assert torch.equal(twin.targets["centre"], fresh.targets["centre"])
    twin.step()
    fresh.step()
    assert torch.equal(twin.state["change"][0], fresh.state["change"][0])


def test_the_readers_point_moves_no_guess(machine):
    moved = machine.data["drawn"].clone()
    moved[-2:] = 2.0
    one, other = twin_of(machine, machine.data["drawn"]), twin_of(machine, moved)
    assert torch.equal(one.targets["centre"], other.targets["centre"])
    assert not torch.equal(one.targets["yours"], other.targets["yours"])


def test_a_step_moves_a_number_by_three_tenths_at_most(rounded):
    x = torch.ones(1, 16)
    far = torch.tensor([[9.0, -9.0], [3.0, 3.0]])
    step = machines.refined(rounded, x, far, machines.mirrored(8, 2), torch.tensor(50.0))
    assert step.abs().max() <= machines.FARTHEST + 1e-7


def test_the_ring_is_two_deviations_wide(machine, rounded):
    twin = twin_of(machine, machine.data["drawn"])
    q = rounded.encode(machine.data["drawn"][None, :16])
    reach = (twin.targets["ring"] - q.mean).abs().amax(0)
    torch.testing.assert_close(reach, 2 * Gaussian(q.mean, q.log_var).std[0].detach())


@pytest.mark.parametrize(("latent", "size"), [(3, (4, 4)), (2, (4, 5))])
def test_another_plane_or_size_is_refused(latent, size):
    model = VAE(16, latent, hidden=(4,), generator=seeded(0))
    with pytest.raises(ValueError, match="expected a VAE with 2 latent units"):
        machines.plane(model, size, {"nothing": torch.zeros(16)}, torch.zeros(1, 2))
