"""What every chapter's machine owes its reader: torch's numbers, stillness, room, and a way out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import chapters
import pytest
import torch
from browser import pages
from browser.conftest import Visits
from browser.machines import STATE, gap, settle_on, step, steps, wait, written
from playwright.sync_api import Page

from genbook.adversarial import machines as adversarial
from genbook.adversarial.networks import Classifier
from genbook.captions import machines as captions
from genbook.captions.captioner import Captioner
from genbook.captions.scenes import SCENES, render
from genbook.clipping import machines as clipping
from genbook.collapse import machines as collapse
from genbook.dcgan import machines as dcgan
from genbook.dcgan.networks import Design, Generator
from genbook.dcgan.training import codes
from genbook.divergences import machines as divergences
from genbook.draw import machines as draw
from genbook.draw import studies as looks
from genbook.fgan import machines as fgan
from genbook.gran import machines as gran
from genbook.gran.training import Recipe, new_pair
from genbook.invertible import machines as invertible
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Machine, Twin
from genbook.kit.machine.sketch import sketch
from genbook.lstm import machines as lstm
from genbook.lstm.readers import Reader
from genbook.ogan import machines as ogan
from genbook.ogan.training import Players
from genbook.pixelcnn import machines as pixelcnn
from genbook.pixelcnn.networks import GatedPixelCNN
from genbook.translation import machines as translation
from genbook.translation.networks import UNet
from genbook.uses import detectors, tables
from genbook.uses import labels as class_models
from genbook.uses import machines as uses
from genbook.vae import machines as vae
from genbook.vae.models import VAE
from genbook.wgan import machines as wgan
from genbook.words import machines as words


@dataclass(frozen=True)
class Case:
    """A machine, where its controls stand, and which preset it begins with."""

    make: Callable[[], Machine]
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""


def finisher() -> Machine:
    """A small network, untrained, on images of 9 × 8 pixels."""
    net = GatedPixelCNN(8, 2, kernel=5, first=5, generator=seeded(0))
    top = torch.zeros(9, 8)
    top[2, 1:6] = 1
    return pixelcnn.completing(net, (9, 8), {"a bar": top, "nothing": torch.zeros(9, 8)})


def attacked() -> Machine:
    """Two small networks, untrained, on images of 6 × 5 pixels."""
    top = torch.zeros(30)
    top[6:10] = 1
    nets = {name: Classifier([30, 12, 10], seed) for seed, name in enumerate(("one", "other"))}
    examples = {"a bar": top, "grey": torch.linspace(0.1, 0.9, 30)}
    return adversarial.falling(nets, (6, 5), examples)


def redrawer() -> Machine:
    """A small network, untrained, on images of 12 × 12 pixels."""
    net = looks.build(looks.FIVE, 12, 0, hidden=9)
    bar = torch.zeros(12, 12)
    bar[3:9, 5:7] = 1
    return draw.redrawing(net, {"a bar": bar, "grey": torch.linspace(0, 1, 144).view(12, 12)})


def walker() -> Machine:
    """A small generator, untrained but settled, and two sets of made-up directions."""
    net = Generator(Design(latent=5, width=6, spread=None), seeded(0))
    net.settle(codes(200, 5, seeded(1)))
    made_up = seeded(2)
    ways = {
        name: (torch.randn(2, 5, generator=made_up), torch.randn(2, 8, 8, generator=made_up) / 5)
        for name in ("one pair", "many")
    }
    return dcgan.walking(net, ways)


def redrawn() -> Machine:
    """Small players, untrained, and two images of 6 × 5 pixels."""
    bar = torch.zeros(30)
    bar[6:10] = 1
    pair = Players(30, 0, code=5, hidden=8)
    return ogan.redrawing(pair, (6, 5), {"a bar": bar, "grey": torch.linspace(0.1, 0.9, 30)})


def improver() -> Machine:
    """Random tables, a plane and an untrained network for pages of 6 × 5 pixels."""
    chances = 0.1 + 0.6 * torch.rand(11, 256, generator=seeded(0), dtype=torch.float64)
    all_of_them, *each = (tables.Table(row) for row in chances)
    bar = torch.zeros(30)
    bar[6:10] = 1
    examples = {"a bar": bar, "grey": torch.linspace(0, 1, 30), "nothing": torch.zeros(30)}
    digits = torch.bernoulli(torch.full((200, 30), 0.4), generator=seeded(1))
    return uses.descending(
        all_of_them, class_models.Labeller(tuple(each)), detectors.principal(digits, 4),
        Classifier([30, 12, 10], 0), digits, (6, 5), examples,
    )  # fmt: skip


def judge() -> Machine:
    """A small pair, untrained, and five images of 8 × 8 pixels."""
    pair = new_pair(Recipe(steps=3, channels=4), 8, seeded(0)).settled(0)
    return gran.real_or_drawn(pair, torch.rand(5, 1, 8, 8, generator=seeded(1)))


def translator() -> Machine:
    """Two small nets, untrained, for images of 8 × 8 pixels."""
    nets = {name: UNet(seeded(k), side=8, width=4, code=3) for k, name in enumerate(("L1", "cGAN"))}
    grey = torch.linspace(0, 1, 64).view(8, 8)
    shown = {"grey": grey, "ink": torch.ones(8, 8), "nothing": torch.zeros(8, 8)}
    return translation.translating(nets, 2, shown)


def describer() -> Machine:
    """A small network, untrained, two scenes and an empty page."""
    pages = {
        name: render(SCENES[k], generator=seeded(0)) for k, name in ((3, "a disc"), (8, "a cross"))
    } | {"nothing": torch.zeros(16, 16)}
    return captions.describing(Captioner("every", 0), pages)


def writer() -> Machine:
    """A small network, untrained, and room for 60 characters."""
    reader = Reader("lstm", 96, 96, hidden=9, embedding=6, generator=seeded(0))
    texts = {"a line": "for x in (1, 2):\n    print(x)", "a word": "while"}
    return lstm.reading(reader, texts, length=60, typed=40)


def sketched() -> Machine:
    """A square to be sketched."""
    square = torch.linspace(0, 1, 11).square()
    return sketch("square", square, (0, 1), (0, 1), what="x²", xlabel="x", ylabel="x²")


def speller() -> Machine:
    """Random vectors for made-up words."""
    made_up = [f"{a}{b}" for a in ("re", "wri", "set") for b in ("ad", "te", "ting", "", "s", "er")]
    made_up += ["get", "put", "value"]
    tables = torch.randn(2, len(made_up), 5, generator=seeded(0))
    return words.meanings(made_up, *tables, {"wri": "wri", "a whole word": "set", "re": "re"})


def smallest() -> Machine:
    """The one that the page on machines builds and takes apart."""
    told = [s for s in chapters.chapter("machines").statements if not (s.silent or s.tests)]
    shelf: dict[str, Any] = {}
    for statement in told:
        if not statement.code.startswith("machine("):
            exec(statement.code, shelf)
    return shelf["valley"]


CASES = {
    "attack, a bar": Case(attacked),
    "attack, grey": Case(attacked, {"stride": 0.02}, "grey"),
    "attack, the other network": Case(attacked, {"network": "other", "stride": 0.005}),
    "a valley, as it begins": Case(smallest),
    "a valley, slowly": Case(smallest, {"rate": 0.02}),
    "a valley, too fast": Case(smallest, {"rate": 0.12}),
    "a sketch": Case(sketched),
    "a sketch that falls": Case(sketched, {}, "a falling line"),
    "a sketch that rises": Case(sketched, {}, "a rising line"),
    "a text read and written": Case(writer),
    "a word, by its forget gate": Case(
        writer, {"shown": "forget gate f", "unit": 7, "temperature": 0.5}, "a word"
    ),
    "a scene described": Case(describer),
    "another scene described": Case(describer, {}, "a cross"),
    "an empty page described": Case(describer, {}, "nothing"),
    "a text, hot": Case(writer, {"shown": "candidate g", "unit": 3, "temperature": 1.25}),
    "a bar redrawn": Case(redrawer),
    "grey redrawn": Case(redrawer, {}, "grey"),
    "drawn from the prior": Case(redrawer, {"source": "the prior"}),
    "a bar, the reader's window": Case(
        redrawer, {"source": draw.SOURCES[1], "x": draw.PLACES[2], "width": draw.WIDTHS[-1]}
    ),
    "a walk": Case(walker),
    "a walk, leaning": Case(walker, {"pairs": "one pair", "stride": 0.2}, "leaning"),
    "a walk, light": Case(walker, {"stride": 0.05}, "light, to the left"),
    "a bar encoded": Case(redrawn),
    "grey encoded, one number pushed": Case(redrawn, {"which": 3.0, "push": 2.0}, "grey"),
    "grey encoded, pushed down": Case(redrawn, {"which": 5.0, "push": -3.0}, "grey"),
    "a bar made likelier": Case(improver),
    "grey made likelier": Case(improver, {}, "grey"),
    "nothing made likelier": Case(improver, {}, "nothing"),
    "always real": Case(judge),
    "always drawn": Case(judge, {}, "drawn"),
    "grey translated": Case(translator),
    "ink translated": Case(translator, {}, "ink"),
    "nothing translated": Case(translator, {}, "nothing"),
    "a top finished": Case(finisher),
    "nothing finished": Case(finisher, {}, "nothing"),
    "four pixels a step": Case(finisher, {"pixels": 4}),
    "cures, none": Case(collapse.forgetting),
    "cures, pack four": Case(collapse.forgetting, {"game": "pack four"}, "grid"),
    "cures, three steps ahead": Case(
        collapse.forgetting,
        {"game": "look three steps ahead", "critic_rate": 5e-4, "generator_rate": 5e-4},
    ),
    "cures, flat slopes": Case(collapse.forgetting, {"game": "flat slopes (R1 + R2)"}, "two"),
    "drawn f, KL": Case(fgan.drawn_game),
    "drawn f, a tilted wave": Case(fgan.drawn_game, {"tilt": 1.0, "rate": 0.1}, "a wave"),
    "drawn f, total variation": Case(fgan.drawn_game, {"tilt": -0.5}, "total variation"),
    "cliff, as it begins": Case(clipping.descent),
    "cliff, small steps": Case(
        clipping.descent, {"rate": 0.03, "threshold": 0.03}, "above the wall"
    ),
    "cliff, large steps": Case(
        clipping.descent, {"rate": 1.0, "threshold": 10.0}, "on a gentle slope"
    ),
    "the way back, as it begins": Case(invertible.there_and_back),
    "the way back, three blocks": Case(
        invertible.there_and_back, {"blocks": "all three", "c": 0.7}, "off the centre"
    ),
    "the way back, too long": Case(
        invertible.there_and_back, {"blocks": "one that turns", "c": 1.05}, "on a line"
    ),
    "heaps, as it begins": Case(wgan.two_heaps),
    "heaps, one between two": Case(wgan.two_heaps, {"share": 0.25}, "two against one"),
    "heaps, ramps": Case(wgan.two_heaps, {"share": 0.125}, "two ramps"),
    **{
        f"curve, {score}": Case(divergences.drawn_curve, {"score": score})
        for score in divergences.scores()
    },
    "shelf, as it begins": Case(words.seven_books),
    "shelf, steep": Case(words.seven_books, {"loyalty": 0.7}, "steep popularity"),
    "shelf, a dead end": Case(words.seven_books, {"loyalty": 0.3}, "no swap helps"),
    "words, a beginning": Case(speller),
    "words, a whole word": Case(speller, {}, "a whole word"),
    "words, another beginning": Case(speller, {}, "re"),
    "curve, a slope": Case(divergences.drawn_curve, {"rate": 0.01}, "a slope"),
}


@lru_cache(maxsize=8)
def made(make: Callable[[], Machine]) -> Machine:
    return make()


@pytest.mark.parametrize("name", CASES)
def test_one_step_and_twenty_are_torchs(
    name: str, visits: Visits, tmp_path: Any, report: dict[str, Any]
) -> None:
    case = CASES[name]
    parts = made(case.make)
    page = visits.open(written(parts, tmp_path))
    wait(page, parts.name)
    settle_on(page, parts, dict(case.settings), case.data)
    data = parts.data[case.data] if case.data else next(iter(parts.data.values()))
    twin = Twin(parts, 1, {**parts.beginning(), **case.settings}, data)
    step(page, parts.name, 1)
    twin.step()
    twin.look()
    first = gap(page, twin)
    step(page, parts.name, 19)
    for _ in range(19):
        twin.step()
    twin.look()
    twenty = gap(page, twin)
    report[f"machine, {name} (millionths)"] = {"one step": 1e6 * first, "twenty": 1e6 * twenty}
    assert first <= 1e-6
    assert twenty <= 1e-4
    page.context.close()


def plane_of_codes() -> Machine:
    """A small VAE, untrained; ``test_machine_vae.py`` holds its numbers to torch's."""
    blank = torch.zeros(64)
    return vae.plane(
        VAE(64, 2, hidden=(8,), generator=seeded(0)), (8, 8), {"nothing": blank},
        torch.randn(9, 2, generator=seeded(1)),
    )  # fmt: skip


EACH = {make.__name__: make for make in (plane_of_codes, *(case.make for case in CASES.values()))}
"""Every machine but the GAN's, which ``test_machine.py`` puts to harder tests."""


@pytest.fixture(params=EACH)
def opened(request: pytest.FixtureRequest, visits: Visits, tmp_path: Any) -> Iterator[Page]:
    parts = made(EACH[request.param])
    page = visits.open(written(parts, tmp_path))
    wait(page, parts.name)
    yield page
    page.context.close()


def test_nothing_moves_by_itself_and_leaving_the_page_leaves_no_worker(opened: Page) -> None:
    opened.wait_for_timeout(300)
    assert steps(opened) == 0
    assert len(opened.workers) == 1
    opened.goto("about:blank")
    opened.wait_for_timeout(100)
    assert opened.workers == []


def test_the_readers_numbers_have_their_name(visits: Visits, tmp_path: Any) -> None:
    parts = sketched()
    page = visits.open(written(parts, tmp_path))
    wait(page, parts.name)
    assert page.get_by_label("your sketch", exact=True).is_visible()
    assert page.get_by_role("button", name="Clear your sketch").is_visible()
    page.context.close()


def test_only_where_a_text_is_typed_there_is_a_field_for_it(visits: Visits, tmp_path: Any) -> None:
    for make, fields in ((describer, 0), (writer, 1)):
        parts = made(make)
        page = visits.open(written(parts, tmp_path))
        wait(page, parts.name)
        assert page.locator("textarea").count() == fields
        page.context.close()


def test_run_goes_on_until_pause(opened: Page) -> None:
    opened.get_by_role("button", name="Run", exact=True).click()
    opened.wait_for_function("document.querySelector('figure.gb-machine').genbookMachine.steps > 3")
    opened.get_by_role("button", name="Pause").click()
    assert opened.locator("figure").get_attribute(STATE) == "stopped"
    assert opened.locator(".gb-readout").inner_text().startswith("Step ")


def test_axe_finds_nothing_by_day_and_by_night(opened: Page) -> None:
    for theme in ("light", "dark"):
        opened.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        pages.settle(opened)
        found = pages.audit(opened)
        assert found.violations_count == 0, found.generate_report()


def test_at_a_phones_width_nothing_sticks_out_and_a_finger_has_room(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 844})
    pages.settle(opened)
    assert pages.overflow(opened) == []
    wide = opened.evaluate(
        "[...document.querySelectorAll('canvas')].map(c => c.getBoundingClientRect().width)"
    )
    assert min(wide) > 110
    boxes = opened.evaluate(
        """[...document.querySelectorAll('canvas')].map(c => {
        const box = c.getBoundingClientRect();
        return [box.left, box.right, box.top, box.bottom];})"""
    )
    assert all(left >= 0 and right <= 390 for left, right, _, _ in boxes)
    assert all(
        one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
        for one, other in itertools.combinations(boxes, 2)
    )
