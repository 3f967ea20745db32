r"""The recorded study: likelihoods of VAE and IWAE on the paper's schedule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from genbook.kit import data
from genbook.kit.device import Device, budget, pick, seeded
from genbook.kit.studies import Study
from genbook.kit.substreams import Substream
from genbook.vae.bounds import activity, importance_log_prob
from genbook.vae.models import VAE, InferenceModel
from genbook.vae.training import TrainConfig, train

TRAINING = Substream("minibatches, coins and noise", 1_000)

LONGEST = 8
"""Stages of the whole schedule of Burda, Grosse and Salakhutdinov: 3280 passes."""


@dataclass(frozen=True)
class Recipe:
    r"""Network and schedule for one data set.

    Args:
        hidden: widths of the deterministic layers.
        latent: ``D``.
        unit: passes over the training set that stage 0 takes; stage i takes 3**i times as many.
        batch: images in a minibatch.
    """

    hidden: tuple[int, ...]
    latent: int
    unit: int
    batch: int = 20

    def passes(self, index: int) -> int:
        r"""Passes over the data in a stage: :math:`3^i` units.

        Args:
            index: ``i``, 0 to 7.

        Returns:
            How many.

        Raises:
            ValueError: if there is no such stage.

        Example:
            >>> sum(RECIPES["mnist"].passes(index) for index in range(LONGEST))
            3280
        """
        if not 0 <= index < LONGEST:
            raise ValueError(f"expected a stage from 0 to {LONGEST - 1}, got {index}")
        return int(self.unit * 3**index)

    def config(self, index: int, images: int, samples: int) -> TrainConfig:
        r"""The settings of a stage: step size :math:`10^{-3 - i/7}`.

        Args:
            index: ``i``, 0 to 7.
            images: how many there are to train on.
            samples: ``k``.

        Returns:
            Settings for :func:`~genbook.vae.training.train`.

        Raises:
            ValueError: if there is no such stage.

        Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, section 5.
        """
        steps = max(1, self.passes(index) * images // self.batch)
        lr = 1e-3 * 10 ** (-index / 7)
        return TrainConfig(steps=steps, batch=self.batch, lr=lr, samples=samples, every=500)


RECIPES = {
    "mnist": Recipe(hidden=(200, 200), latent=50, unit=1),
    "digits": Recipe(hidden=(100, 100), latent=20, unit=20),
}
"""The paper's network for MNIST; a smaller one, trained for more passes, for the 8×8 digits."""


def build(dataset: str, seed: int, device: Device | None = None) -> tuple[VAE, torch.Generator]:
    r"""The study's model for a data set, and the generator that will train it.

    Args:
        dataset: ``"mnist"`` or ``"digits"``.
        seed: of the weights, and of everything random in the training.
        device: where to put both; as :func:`genbook.kit.device.pick` chooses by default.

    Returns:
        Model and generator.

    Raises:
        ValueError: if there is no recipe for the data set.

    Example:
        >>> build("digits", 0, pick("cpu"))[0].latent
        20
    """
    if dataset not in RECIPES:
        raise ValueError(f"expected a data set of {sorted(RECIPES)}, got {dataset!r}")
    recipe, where = RECIPES[dataset], pick(device)
    pixels = {"mnist": 784, "digits": 64}[dataset]
    model = VAE(pixels, recipe.latent, hidden=recipe.hidden, generator=seeded(seed))
    return model.to(where.device), seeded(TRAINING.seed(seed), where)


@dataclass(frozen=True)
class Judge:
    r"""How a trained model is judged: one bound on all test images, a tighter one on a few.

    .. math:: -\log p(x) \lesssim -\overline{\mathcal L_k}
        - \overline{(\mathcal L_K - \mathcal L_k)}

    The second mean runs over few images only; it needs no more, because both bounds are taken on
    the same images and their difference varies little.

    Args:
        samples: ``k``, spent on every test image.
        tight: ``K``, spent on the first ``few`` test images.
        few: how many those are; 0 leaves the second mean out.
    """

    samples: int = 100
    tight: int = 5_000
    few: int = 0

    def __call__(self, model: InferenceModel, x: Tensor) -> dict[str, float | int]:
        r"""The scores of a model.

        Args:
            model: gives q(z | x) and p(x | z).
            x: binary test images, shape ``[N, P]``.

        Returns:
            ``nll`` (as above), ``nll_k`` (:math:`-\mathcal L_k` alone), both in nats an image, and
            the number of ``active`` units.

        Example:
            >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
            >>> sorted(Judge(samples=5)(model, torch.eye(4)))
            ['active', 'nll', 'nll_k']
        """

        def bound(images: Tensor, samples: int, seed: int) -> Tensor:
            source = seeded(seed, x.device)
            return importance_log_prob(model, images, samples=samples, generator=source).double()

        loose = bound(x, self.samples, 1)
        few = x[: self.few]
        gain = float((bound(few, self.tight, 2) - loose[: len(few)]).mean()) if len(few) else 0.0
        nll_k = -float(loose.mean())
        active = int((activity(model, x) > 1e-2).sum())
        return {"nll": nll_k - gain, "nll_k": nll_k, "active": active}


def learning_curve(
    train_images: Tensor,
    test_images: Tensor,
    *,
    dataset: str,
    samples: int,
    seed: int,
    stages: int,
    judge: Judge,
    device: Device,
    autocast: Callable[[], AbstractContextManager[object]] | None = None,
) -> Iterator[dict[str, float | int | str]]:
    r"""Train stage by stage on the schedule of the recipe, and judge the model after each.

    Args:
        train_images: grey values, shape ``[N, P]``.
        test_images: grey values, shape ``[M, P]``, binarised once, with a seed of their own.
        dataset: key of :data:`RECIPES`.
        samples: ``k`` of the objective; 1 is the VAE.
        seed: of the run.
        stages: how many stages to train.
        judge: how to judge.
        device: where the images are.
        autocast: context of the forward pass in training, ``device.autocast`` by default; judging
            is done in full precision.

    Yields:
        One flat row a stage: ``objective``, ``k``, ``seed``, ``passes``, ``nll``, ``active``, ...

    Raises:
        ValueError: if there is no recipe for the data set or no such stage.
    """
    model, generator = build(dataset, seed, device)
    recipe, passes, seconds = RECIPES[dataset], 0, 0.0
    optimiser = torch.optim.Adam(model.parameters(), eps=1e-4, fused=True)
    x = data.binarise(test_images, "stochastic", seeded(0, device))
    for index in range(stages):
        config = recipe.config(index, len(train_images), samples)
        optimiser.param_groups[0]["lr"] = config.lr
        start = time.perf_counter()
        *_, last = train(
            model,
            train_images,
            config,
            generator=generator,
            optimiser=optimiser,
            autocast=autocast or device.autocast,
        )
        passes, seconds = passes + recipe.passes(index), seconds + time.perf_counter() - start
        yield {
            "dataset": dataset,
            "objective": "VAE" if samples == 1 else "IWAE",
            "k": samples,
            "seed": seed,
            "passes": passes,
            "train_bound": last.terms["bound"],
            **judge(model, x),
            "train_seconds": round(seconds, 1),
        }


def probe(
    train_images: Tensor, test_images: Tensor, *, dataset: str, seed: int, device: Device
) -> dict[str, float | int | str]:
    r"""The short run that a chapter repeats live: stage 0 of the VAE, judged on few images.

    Args:
        train_images: grey values, shape ``[N, P]``.
        test_images: grey values, shape ``[M, P]``; the first thousand are judged.
        dataset: key of :data:`RECIPES`.
        seed: of the run.
        device: where the images are.

    Returns:
        One row, as :func:`learning_curve` yields.

    Raises:
        ValueError: if there is no recipe for the data set.
    """
    rows = learning_curve(
        train_images,
        test_images[:1_000],
        dataset=dataset,
        samples=1,
        seed=seed,
        stages=1,
        judge=Judge(samples=100),
        device=device,
    )
    return next(rows)


@dataclass(frozen=True)
class NllConfig:
    r"""Settings of the recorded study: objectives, data sets and how far each is trained.

    Args:
        datasets: keys of :data:`RECIPES`.
        samples: ``k`` of the objectives; 1 is the VAE.
        stages: stages of the schedule on MNIST; 3 are 13 passes, 8 are the paper's 3280.
        longer: seed 0 gets one more stage on MNIST for these ``k``.
        digit_stages: stages on the 8×8 digits.
        probes: short runs a seed, as :func:`probe` does and a chapter repeats.
        judge: how the curves are judged.
    """

    datasets: tuple[str, ...] = ("digits", "mnist")
    samples: tuple[int, ...] = (1, 5, 50)
    stages: int = 3
    longer: tuple[int, ...] = (1, 5)
    digit_stages: int = 2
    probes: int = 2
    judge: Judge = Judge(samples=50, tight=5_000, few=100)

    def depth(self, dataset: str, k: int, seed: int) -> int:
        r"""How many stages one learning curve gets.

        Args:
            dataset: ``"mnist"`` or ``"digits"``.
            k: of the objective.
            seed: of the run.

        Returns:
            1 to 8.

        Example:
            >>> NllConfig().depth("mnist", 1, seed=0), NllConfig().depth("mnist", 50, seed=0)
            (4, 3)
        """
        if dataset == "digits":
            return self.digit_stages
        return min(LONGEST, self.stages + (seed == 0 and k in self.longer))


SLICE = NllConfig(
    datasets=("digits",),
    samples=(1, 5),
    digit_stages=1,
    probes=1,
    judge=Judge(samples=20, tight=100, few=10),
)
"""A small piece of the study, on the bundled digits only; seconds."""


SEEDS = (0, 1, 2)

PROBE_SEED = 100
"""Seeds of the probes begin here, so that no probe shares a seed with a learning curve."""


def nll_rows(
    config: NllConfig, seed: int, device: Device
) -> Iterator[dict[str, float | int | str]]:
    r"""All rows of one seed: on each data set the probes, then the learning curves.

    The forward pass of the curves runs in bfloat16, whatever the objective; probes run as a
    chapter does. Everything is judged in full precision.

    Args:
        config: what to train.
        seed: 0, 1, ...
        device: where.

    Yields:
        Flat rows; ``part`` is ``"probe"`` or ``"curve"``.

    Raises:
        ValueError: if MNIST is asked for and not there.
    """

    def autocast() -> AbstractContextManager[object]:
        return torch.autocast(device.type, torch.bfloat16)

    for dataset in config.datasets:
        load = {"mnist": data.mnist, "digits": data.digits}[dataset]
        train_set, test_set = load("train", device=device), load("test", device=device)
        if train_set.name != dataset:
            raise ValueError(f"expected {dataset} for the study: {train_set.notice}")
        images = {"train_images": train_set.flat, "test_images": test_set.flat}
        for number in range(config.probes):
            row = probe(
                **images,
                dataset=dataset,
                seed=PROBE_SEED + config.probes * seed + number,
                device=device,
            )
            yield {"part": "probe", **row}
        for k in config.samples:
            curve = learning_curve(
                **images,
                dataset=dataset,
                samples=k,
                seed=seed,
                stages=config.depth(dataset, k, seed),
                judge=config.judge,
                device=device,
                autocast=autocast,
            )
            for row in curve:
                yield {"part": "curve", **row}


def record_nll(slice: bool, seed: int) -> Iterator[dict[str, float | int | str]]:
    r"""The study ``vae_nll``, one seed of it.

    A GPU, or ``GENBOOK_PROFILE=full``, goes through all eight stages of the paper's schedule.

    Args:
        slice: only :data:`SLICE`.
        seed: one of :data:`SEEDS`.

    Yields:
        Rows of :func:`nll_rows`.
    """
    stages = budget(cpu=NllConfig.stages, gpu=LONGEST)
    yield from nll_rows(SLICE if slice else replace(NllConfig(), stages=stages), seed, pick())


STUDIES = (
    Study(
        name="vae_nll",
        topic="vae",
        run=record_nll,
        seeds=SEEDS,
        config={
            "network": "MNIST 784-200-200-50, digits 64-100-100-20, tanh, one stochastic layer",
            "schedule": "3^i passes at step size 10^(-3 - i/7), batch 20, Adam with epsilon 1e-4",
            "training": "binarised afresh each minibatch, forward pass in bfloat16",
            "nll": "L_50 on all test images + mean of L_5000 - L_50 on the first 100",
            "probe": "VAE, stage 0, full precision; L_100 on at most 1000 test images",
        },
    ),
)
