"""A round on a second device of what has no example of its own.

Called with the second device in place; all tensors and generators are made there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from elsewhere import ELSEWHERE

from genbook import games, ogan
from genbook.adversarial import studies as adversarial_studies
from genbook.captions import blindness, captioner, digit_pages, search
from genbook.captions import studies as caption_studies
from genbook.captions.scenes import SEEN
from genbook.clipping import characters
from genbook.collapse import digits as collapse_digits
from genbook.collapse import onset, remedies
from genbook.dcgan import concepts, larger, probe, projection
from genbook.dcgan import networks as dcgan_networks
from genbook.dcgan import studies as dcgan_studies
from genbook.dcgan import training as dcgan_training
from genbook.draw import studies as draw_studies
from genbook.fgan import survival, univariate
from genbook.games import functional, plane
from genbook.games.classifier import Reader
from genbook.games.play import play as play_game
from genbook.gan import costs, scenes
from genbook.gan import images as gan_images
from genbook.gran import referee
from genbook.gran import studies as gran_studies
from genbook.kit import data
from genbook.kit.device import Device
from genbook.kit.seeds import Streams, around, mlp
from genbook.kit.studies import Row
from genbook.kit.training import Step, checkpointed
from genbook.ogan import studies as ogan_studies
from genbook.pixelcnn import likelihood, networks, row_lstm, sampling
from genbook.translation import cyclegan, pairs, photographs, pix2pix, scores
from genbook.translation import networks as translators
from genbook.translation import studies as translation_studies
from genbook.uses import (
    conditional,
    detectors,
    labels,
    outliers,
    probes,
    ranking,
    samplers,
    tables,
)
from genbook.uses import studies as uses_studies
from genbook.vae import bounds, exact, models, study
from genbook.vae import training as vae_training
from genbook.wgan import contests, frechet
from genbook.words import pmi

__all__ = ["ROUNDS"]


def _source(seed: int = 0) -> torch.Generator:
    return torch.Generator(ELSEWHERE).manual_seed(seed)


def _rand(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=_source(), device=ELSEWHERE)


def _digits() -> data.ImageSet:
    return data.digits(device=ELSEWHERE)


def text() -> None:
    codes = torch.arange(96, device=ELSEWHERE).repeat(4)
    arms = [characters.Arm(0, 0.1), characters.Arm(0, 0.1, threshold=1.0)]
    reader = characters.Models(arms, device=ELSEWHERE)
    list(characters.train(reader, arms, codes, total=1))
    characters.bits(reader, codes, streams=4)


def games_of_digits() -> None:
    images = _digits()
    reader = games.learn_to_read(images, images, steps=1)
    for name in ("PacGAN4", "minibatch std", "WGAN-GP"):
        list(collapse_digits.digit_rows(remedies.method(name), images, reader, [0], 1))


def rings() -> None:
    radii = torch.tensor([1.0, 4.0], device=ELSEWHERE)
    list(onset.looked_at(radii, radii / 100, [0, 1], 2, 1))


def survivors() -> None:
    survival.on_images(games.KL, _digits().flat, (0,), practical=True, iterations=1, draws=5)


def contests_of_one_gaussian() -> None:
    theta = torch.tensor([[0.0, 1.0]], device=ELSEWHERE)
    critic = mlp([1, 4, 1], Streams([0], device=ELSEWHERE))
    list(univariate.learned(univariate.CONTESTS[:1], theta, critic))


def play_without_a_change() -> None:
    streams = Streams([0], device=ELSEWHERE)
    g, d = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
    game = games.from_convex(games.GAN)
    makes, judges = functional.opening(g), functional.opening(d)
    noise, rate = streams.normal(4, 2), torch.tensor(1e-3, device=ELSEWHERE)
    fake = functional.with_weights(g, makes[0], noise)
    judges, _ = functional.critic_update(d, judges, game, streams.normal(4, 2), fake, rate)
    functional.generator_update(g, makes, d, judges[0], game, noise, rate)


def play() -> None:
    streams = Streams([0, 1], device=ELSEWHERE)
    generator, critic = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
    sample = around(torch.zeros(1, 2, device=ELSEWHERE), std=1.0)
    for settings in ({"unroll": 1}, {"average": 0.9, "decay": 1.0, "clip_weights": 0.1}):
        game = games.Game(1, batch=4, **settings)
        list(play_game(generator, critic, games.from_convex(games.GAN), sample, game, streams))
    images = _digits()
    games.learn_to_read(images, images, steps=1).classes(images.flat[None, :9])


def picture_of_a_game() -> None:
    streams, game = Streams([0], device=ELSEWHERE), games.from_convex(games.GAN)
    maker, judge = mlp([2, 4, 2], streams), mlp([2, 4, 1], streams)
    look = plane.looked_at(game.generator_loss, maker, judge)
    weights = list(maker.parameters()), list(judge.parameters())
    count = torch.tensor(5.0, device=ELSEWHERE)
    look(*weights, streams.normal(3, 2)[0], streams.normal(5, 2)[0], count)


def scene() -> None:
    streams = Streams([0], device=ELSEWHERE)
    pair = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
    places = scenes.lattice(1.0, 3).to(ELSEWHERE)
    scenes.scene(*pair, costs.SATURATING, streams.normal(5, 2), places, 0)


def parzen() -> None:
    images = gan_images.split(_digits(), data.digits("test", device=ELSEWHERE))
    list(gan_images.parzen_rows("digits", images, [0], [1], 20))
    list(gan_images.yardsticks("digits", images, 20, 2))


def battles() -> None:
    images = _digits()
    place = gran_studies.hall(images, images, gran_studies.TINY)
    list(gran_studies.contest_rows(place, 0, steps=(1, 3), pictures=True))
    runs = gran_studies.train_all(place, 0, (1, 3))
    runs["T = 3"].last.generator.canvases(_rand(2, 64))
    one, three = (referee.contestants(runs[f"T = {steps}"])["average"] for steps in (1, 3))
    referee.fight(one, three, place.validation.images, place.test.images, samples=20)
    evidence = referee.gather(one, three, place.validation.images, place.test.images, samples=20)
    referee.judge(evidence.swapped())


def drawings() -> None:
    images = _digits()
    net = draw_studies.build(draw_studies.WINDOW, 8, 0, hidden=8).to(ELSEWHERE)
    draw_studies.bound(net, images.images[:4, 0].round(), _source())
    net.sample(3, _source())


def pixels() -> None:
    labels = torch.tensor([0, 1], device=ELSEWHERE)
    x = _rand(2, 1, 5, 4).round()
    nets = [
        networks.PixelCNN(4, 1, generator=_source()),
        networks.GatedPixelCNN(4, 1, classes=2, generator=_source()),
        row_lstm.RowLSTM(4, 1, generator=_source()),
    ]
    for net in nets:
        known = labels if isinstance(net, networks.GatedPixelCNN) else None
        how = likelihood.PixelTraining(1, 2, 1e-2, None)
        list(likelihood.train(net, x, how, _source(), known))
        likelihood.nll(net, x, known)
        for cached in (True, False):
            sampling.sample(net, 2, (5, 4), _source(), labels=known, cached=cached)
        mask = torch.ones(5, 4, dtype=torch.bool, device=ELSEWHERE)
        sampling.sample(net, 2, (5, 4), _source(), labels=known, start=x, known=mask)
    grid = row_lstm.GridRecurrence(4, generator=_source())
    grid.one_by_one(x)


def pairs_of_pictures() -> None:
    thumbnails = pairs.thumbnails(_digits()).take(8)
    translation_studies.run_pairs(pairs.outlines(_digits()), pix2pix.Recipe(), 0, 1)
    for critic in ("none", "y", "xy"):
        recipe = pix2pix.Recipe(critic=critic)
        *_, step = pix2pix.train_pairs(thumbnails, recipe, seed=0, iterations=1, batch=4)
    judge = scores.reader(thumbnails.x, thumbnails.labels, steps=1)
    scores.score_pairs(step.generator, thumbnails, judge)
    assert step.critic is not None
    translators.seen_by_gradient(translators.PatchCritic(_source(), translators.PATCHES[10]))
    net = translators.silenced(step.generator)
    assert isinstance(net, translators.UNet)
    net.code(thumbnails.x)
    pairs.photographs(pairs.grey, "grey", "train", count=2)
    colour = _rand(3, 3, 8, 8)
    for make in (pairs.grey, pairs.edges, photographs.colour):
        make(colour)
    for still in (photographs.OneColour(colour), photographs.StillGrey()):
        still(pairs.grey(colour))


def cycles() -> None:
    images = _digits()
    x, y = images.images[:8], images.images[8:16]
    heaps = pairs.Domains("digits", 2, x, y, images.labels[:8], images.labels[8:16])
    recipe = cyclegan.CycleRecipe()
    *_, step = cyclegan.train_cycle(heaps.take(4), recipe, seed=0, iterations=2, batch=4)
    judge = scores.domain_judge(heaps, steps=1)
    readers = scores.reader(x, heaps.x_labels, steps=1), scores.reader(y, heaps.y_labels, steps=1)
    assert step.nets is not None
    scores.score_cycle(step.nets, heaps, readers, judge)
    scores.judged_right(judge, heaps)
    scores.perturbed(step.nets, y, (0.0, 0.1))
    cyclegan.cycle_loss(step.nets.g, step.nets.f, x)
    translation_studies.moment(2, step.nets, heaps)


def autoencoders() -> None:
    device = Device(ELSEWHERE)
    images = _digits().flat[:64]
    how = vae_training.TrainConfig(steps=1)
    plain = models.Autoencoder(64, 2, hidden=(8,), generator=_source())
    list(vae_training.fit(plain, images, how, seed=0, device=device))
    models.rescale(plain, torch.eye(2, device=ELSEWHERE) * 2)
    for kind in (models.VAE, models.PeekingVAE):
        model = kind(64, 2, hidden=(8,), generator=_source())
        for estimator in ("path", "score"):
            config = vae_training.TrainConfig(steps=1, estimator=estimator)
            list(vae_training.fit(model, images, config, seed=0, device=device))
            vae_training.encoder_noise(
                model, images.round(), estimator, draws=2, generator=_source()
            )
        model.sample(3, _source())
    study.probe(images, images, dataset="digits", seed=0, device=device)


def a_linear_model() -> None:
    weight = torch.tensor([[1.0], [2.0]], dtype=torch.float64, device=ELSEWHERE)
    offset = torch.zeros(2, dtype=torch.float64, device=ELSEWHERE)
    model = exact.LinearGaussian(weight, offset, 0.5)
    x = torch.ones(3, 2, dtype=torch.float64, device=ELSEWHERE)
    bounds.importance_log_prob(model, x, samples=3, generator=_source())
    model.gap(x, model.encode(x))
    model.elbo(x, model.encode(x))


def wasserstein() -> None:
    images = _digits()
    judge = frechet.train_judge(images, images, steps=1)
    for contest in contests.contests().values():
        list(contests.compete(contest, images.flat, judge, [0], iterations=1, every=1))


def places_in_a_data_set() -> None:
    images = data.digits(device="cpu").to(ELSEWHERE)
    drawn = data.batches(images, 4, _source(), steps=2)
    next(iter(drawn))
    drawn.load_state_dict(drawn.state_dict())
    data.python_source(2_000, device=ELSEWHERE).sample(2, 5, _source())


def a_run_that_is_saved() -> None:
    net = mlp([2, 1], Streams([0], device=ELSEWHERE))
    with TemporaryDirectory() as folder:
        list(checkpointed([Step(0, 1, {})], Path(folder, "run"), every=1, net=net))


def captions_of_a_page() -> None:
    net = captioner.Captioner("every", 0, words=3, hidden=4).to(ELSEWHERE)
    page = _rand(16, 16)
    search.every(net, page, 3, 2)
    search.beam(net, page, 2, 2)
    net.speak(_rand(1, 512), torch.zeros(1, 1, dtype=torch.long, device=ELSEWHERE))
    told = captioner.pairs(SEEN, 3, _source())
    looks = captioner.Captioner("once", 0, hidden=4).to(ELSEWHERE)
    list(captioner.train(looks, told, steps=1, seed=0))
    caption_studies.right(looks, blindness.blinded(told, _source()))
    caption_studies.judged(looks, 0, count=2)
    caption_studies.beside_people(looks, told)


def captions_of_two_digits() -> None:
    images = _digits()
    net = caption_studies.reader(images, 0, free=0.5, steps=1, count=4)
    caption_studies.page_row(net, images, 0, count=2)
    pages = digit_pages.pairs(images, 3, _source(), free=1.0)
    digit_pages.read(net, pages)
    blindness.swap_gap(net, pages)


def attacks() -> None:
    images = _digits()
    nets = adversarial_studies.trained(images, 0, steps=1)
    list(adversarial_studies.attacked(nets, images.take(20), 0))


def deep_convolutions() -> None:
    images = _digits()
    given = dcgan_studies.scene(images, images, steps=1)
    layers = dcgan_studies.ARCHITECTURE.values()
    listening = (*dcgan_studies.CONDITIONAL.values(), dcgan_studies.RECIPES["self-modulation"])
    for recipe in (*layers, *listening):
        for pair, _ in dcgan_studies.game(given, recipe, 0, steps=1, every=1):
            pair.generator.settle(*_codes_of(recipe.design))
    net = pair.generator
    turns = Reader(
        lambda x: torch.eye(10, device=ELSEWHERE).repeat(len(x), 1)[: len(x)], 1.0, "none"
    )
    list(dcgan_studies.added(replace(given, reader=turns), net, 0, trials=2))
    z = _codes_of(net.design)[0]
    kinds = torch.arange(40, device=ELSEWHERE) % 2
    bank = concepts.Bank(z, concepts.drawn(net, z), kinds, z[:, 0])
    found = concepts.sums(bank, exemplars=2, trials=2, source=_source())
    found.right(found.blended, given.reader.logits)
    concepts.collect(net, given.reader.logits, z)
    concepts.way(bank, bank.slants, pairs=2, source=_source())
    p = projection.Classes(_rand(1) * 0 + 1, _rand(1, 2), _rand(1) * 0 + 1)
    p.log_joint(_rand(3, 2))
    projection.linear_parts(p, p)


def deep_convolutions_on_larger_images() -> None:
    images = data.ImageSet("pages", _rand(130, 1, 28, 28), torch.arange(130, device=ELSEWHERE) % 10)
    pages = larger.halved(images)
    given = dcgan_studies.scene(pages, pages, steps=1)
    larger.about(given, pages)
    recipe = larger.enlarged(dcgan_studies.RECIPES["guidelines"], given.images)

    def then(_: str, pair: dcgan_training.Players) -> list[Row]:
        return list(probe.probe(pair.discriminator, pages, pages, 0, sizes=(20,)))

    list(dcgan_studies.each({"short": recipe}, given, 0, steps=1, every=1, then=then))


def _codes_of(design: dcgan_networks.Design) -> tuple[torch.Tensor, ...]:
    z = dcgan_training.codes(40, design.latent, _source())
    if not design.classes:
        return (z,)
    return z, torch.eye(design.classes, device=ELSEWHERE)[torch.arange(40, device=ELSEWHERE) % 10]


def codes_of_pictures() -> None:
    images = _digits().flat[:6]
    pair = ogan.Players(images.shape[1], 0, code=4, hidden=5, device=ELSEWHERE)
    for loop in (ogan.train, ogan.train_autoencoder):
        list(loop(pair, images, ogan.Recipe("squared error", steps=2, batch=3), 0))
    ogan.error_parts(pair.encode(images), _rand(6, 4))
    ogan.parts(pair.encode(images)).whole()


def judgements_of_codes() -> None:
    images = _digits()
    reader = games.learn_to_read(images, images, steps=1)
    for autoencoder in (False, True):
        recipe = ogan.Recipe(steps=1, batch=3)
        pair = ogan_studies.trained(images, recipe, 0, autoencoder=autoencoder)
        ogan_studies.judged(pair, images, reader, 0)


def uses_of_models() -> None:
    images = _digits()
    pages = tables.binary(images.images[:, 0])
    own = labels.by_class(pages, images.labels)
    own.whole(pages[:4])
    outliers.strangers(pages[:4], _source())
    outliers.detected(own.tables[0].nats(pages[:4]), own.tables[1].nats(pages[4:8]))
    pair = ogan.Players(images.flat.shape[1], 0, code=4, hidden=5, device=ELSEWHERE)
    for sampler in (
        samplers.of_pixels(images),
        samplers.of_tables(own, images.size[1:]),
        samplers.of_codes(pair, images),
        samplers.cheating(images, 0.5),
    ):
        samplers.drawn(sampler, 2, images, _source())
    short = vae_training.TrainConfig(steps=1, batch=3), likelihood.PixelTraining(1, 3, 1e-2, None)
    many = conditional.vae_by_class(images, short[0], _source(), code=2, hidden=(3,))
    told = conditional.pixelcnn_by_class(images, short[1], _source(), channels=2, depth=0)
    for model in (own, many, told):
        ranking.sampler_of(model, images.size[1:])(0, 2, _source())
        costs = ranking.prices(model, pages[:2], 2, _source())
        ranking.judged(costs, images.labels[:2])
    samplers.drawn(samplers.thresholded(many.chances), 1, images, _source())
    places = probes.few_labels(images.labels, 10, _source())
    x, y = images.flat[places], images.labels[places]
    detectors.principal(images.flat, 3).gaps(images.flat)
    net = detectors.small_reader(images.flat, images.labels, steps=2)
    usual = detectors.doubts(detectors.told(net, list(net.parameters()), images.flat))
    detectors.share_below(usual[0].detach(), detectors.steps_of(usual.detach()))
    samplers.taught(images, images, steps=1, seed=0, convolutional=True)
    probes.hidden(pair, x)
    probes.read_linearly(probes.codes(pair, x), y, probes.codes(pair, x), y)


def recorded_uses_of_models() -> None:
    images, lengths = _digits(), ranking.Lengths(1, 10, 1, judged=2, samples=2)
    nets, few = probes.featured(images, 0, 1), images.take(140)
    list(uses_studies.schooled(few, few, nets, 0, 1))
    list(uses_studies.probed(images, few, nets, 0))
    list(uses_studies.by_two_readers(few, few, nets, 0, 1))
    list(uses_studies.untrained(images, few, 0))
    list(uses_studies.told_apart(few, few, 0))
    found = ranking.models(images, 0, lengths)
    list(ranking.priced(found, few, 0, lengths))
    list(ranking.lessons(found, few, few, 0, 1))


def words_of_a_rank() -> None:
    pmi.decomposed(_rand(3, 2)).cut(1)


ROUNDS: dict[str, list[Callable[[], None]]] = {
    "adversarial": [attacks],
    "captions": [captions_of_a_page, captions_of_two_digits],
    "clipping": [text],
    "collapse": [rings, games_of_digits],
    "dcgan": [deep_convolutions, deep_convolutions_on_larger_images],
    "draw": [drawings],
    "fgan": [survivors, contests_of_one_gaussian],
    "games": [play, play_without_a_change, picture_of_a_game],
    "gan": [scene, parzen],
    "gran": [battles],
    "kit": [places_in_a_data_set, a_run_that_is_saved],
    "ogan": [codes_of_pictures, judgements_of_codes],
    "pixelcnn": [pixels],
    "translation": [pairs_of_pictures, cycles],
    "uses": [uses_of_models, recorded_uses_of_models],
    "vae": [autoencoders, a_linear_model],
    "wgan": [wasserstein],
    "words": [words_of_a_rank],
}
"""By package."""
