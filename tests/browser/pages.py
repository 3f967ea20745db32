"""What the browser tests share: comparing drawings, moving controls, measuring."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, ViewportSize

from genbook.kit import svg

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("GENBOOK_BUILD", ROOT / "_build"))
REFERENCES = BUILD / "references"
REPORT = BUILD / "reports" / "explorables.json"
FIGURE = "[data-genbook-explore]"
Open = Callable[..., Page]
SCREEN: ViewportSize = {"width": 1000, "height": 900}
READY = "[data-genbook-explore=ready]"
DRAWING = ".gb-stage > svg"


def document(*parts: str) -> str:
    """A page around some figures."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorables</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font-family:sans-serif;margin:1rem;max-width:45rem;background:#fff}"
        "html[data-theme=dark] body{background:#121212;color:#e8e8e8}</style></head>"
        f"<body><main><h1>Explorables</h1>{''.join(parts)}</main></body></html>"
    )


def settle(page: Page) -> None:
    """Wait until formulas and letters stand, the page is painted and no colour fades any more."""
    page.evaluate(
        """async () => {
        await window.MathJax?.startup?.promise;
        await document.fonts.ready;
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        const fades = Promise.all(document.getAnimations()
          .filter(fade => fade.effect.getComputedTiming().endTime < Infinity)
          .map(fade => fade.finished.catch(() => null)));
        await Promise.race([fades, new Promise(done => setTimeout(done, 5000))]);
        }"""
    )


def reload(page: Page) -> None:
    """Load a standing page anew."""
    page.reload()
    settle(page)
    restore(page)


def restore(page: Page) -> None:
    """Bring a standing page back to how it was loaded: window, theme, medium, every figure."""
    page.set_viewport_size(SCREEN)
    page.emulate_media(media="screen")
    page.mouse.move(0, 0)
    page.evaluate(
        """() => {
        const root = document.documentElement;
        const figures = [...document.querySelectorAll('[data-genbook-explore=ready]')];
        window.loaded ??= {theme: root.dataset.theme, places: figures.map(f => f.genbook.place)};
        if (loaded.theme === undefined) delete root.dataset.theme;
        else root.dataset.theme = loaded.theme;
        figures.forEach((f, k) => {
          f.querySelectorAll('.gb-play[data-state=playing]').forEach(button => button.click());
          f.genbook.set(Object.fromEntries(
            f.genbook.controls.map((name, axis) => [name, loaded.places[k][axis]])));
        });
        document.activeElement?.blur();
        scrollTo({top: 0, behavior: 'instant'});
        }"""
    )


def drawing(figure: Locator) -> svg.Node:
    """The figure's drawing as the browser holds it."""
    text = figure.evaluate(
        "f => new XMLSerializer().serializeToString(f.querySelector('.gb-stage svg'))"
    )
    return svg.parse(text)


def alike(shown: svg.Node, wanted: svg.Node) -> list[str]:
    """Where two drawings differ, but for the order of attributes."""
    places = list(zip(svg.walk(shown), svg.walk(wanted), strict=False))
    faults = [
        f"<{b.tag} {b.attributes}> {b.text!r}, shown is <{a.tag} {a.attributes}> {a.text!r}"
        for a, b in places
        if _plain(a) != _plain(b)
    ]
    counts = [sum(1 for _ in svg.walk(node)) for node in (shown, wanted)]
    if counts[0] != counts[1]:
        faults.append(f"expected {counts[1]} elements, got {counts[0]}")
    return faults


def _plain(node: svg.Node) -> tuple[str, dict[str, str], str, int]:
    kept = {key: value for key, value in node.attributes.items() if key != "xmlns"}
    return node.tag, kept, node.text, len(node.children)


def put(figure: Locator, place: dict[str, int]) -> None:
    """Set native inputs to a point of the grid, each with the event that a reader's move gives."""
    figure.evaluate(
        """(f, place) => {
        for (const [name, index] of Object.entries(place)) {
          const field = f.querySelector(`#${CSS.escape(f.id)}-${name}`);
          if (field.type === 'checkbox') field.checked = index === 1; else field.value = index;
          field.dispatchEvent(new Event('input', {bubbles: true}));
        }}""",
        place,
    )


def place(figure: Locator) -> dict[str, int]:
    """Where on its grid a figure is."""
    return figure.evaluate(
        "f => Object.fromEntries(f.genbook.controls.map((c, k) => [c, f.genbook.place[k]]))"
    )


def shape(figure: Locator) -> dict[str, int]:
    """Values a control."""
    return figure.evaluate(
        "f => Object.fromEntries(f.genbook.controls.map((c, k) => [c, f.genbook.shape[k]]))"
    )


def fields(figure: Locator) -> list[dict[str, Any]]:
    """Name and kind of every control."""
    return figure.evaluate(
        """f => f.genbook.controls.map(name => {
        const field = f.querySelector(`#${CSS.escape(f.id)}-${name}`);
        return {name, id: field.id, kind: field.type,
                play: !!field.parentElement.querySelector('.gb-play')}})"""
    )


def field(figure: Locator, name: str) -> Locator:
    """A control's native input."""
    return figure.locator(f'[id$="-{name}"]')


def timings(figures: list[Locator], rounds: int = 120) -> list[dict[str, float]]:
    """Milliseconds from input event to changed drawing, and to the frame after its paint.

    The figures move side by side, each once a frame: the paint is that of them all.
    """
    rng = random.Random(1)
    sizes = [shape(figure) for figure in figures]
    names = [[rng.choice(list(size)) for size in sizes] for _ in range(rounds)]
    moves = [
        [[name, rng.randrange(size[name])] for name, size in zip(row, sizes, strict=True)]
        for row in names
    ]
    measured = figures[0].page.evaluate(
        """async ([figures, moves]) => {
        const script = figures.map(() => []), paint = figures.map(() => []);
        for (const row of moves) {
          const starts = figures.map((f, k) => {
            const [name, index] = row[k];
            const field = f.querySelector(`#${CSS.escape(f.id)}-${name}`);
            if (field.type === 'checkbox') field.checked = index === 1; else field.value = index;
            const start = performance.now();
            field.dispatchEvent(new Event('input', {bubbles: true}));
            script[k].push(performance.now() - start);
            return start;
          });
          await new Promise(done => requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = done;
            channel.port2.postMessage(0);
          }));
          starts.forEach((start, k) => paint[k].push(performance.now() - start));
        }
        return script.map((values, k) => [values, paint[k]]);}""",
        [[figure.element_handle() for figure in figures], moves],
    )
    return [_summary(sorted(script), sorted(paint)) for script, paint in measured]


def _summary(script: list[float], paint: list[float]) -> dict[str, float]:
    last = len(script) - 1
    return {
        "script p50": script[last // 2],
        "script p95": script[round(0.95 * last)],
        "script max": script[last],
        "paint p50": paint[last // 2],
        "paint p95": paint[round(0.95 * last)],
    }


YARDSTICK = """() => {
  const text = Array.from({length: 4000}, (_, k) => (k * 0.7).toFixed(2)).join(' ');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  const times = [];
  for (let run = 0; run < 60; run++) {
    const start = performance.now();
    const numbers = text.split(' ').map((word, k) => Number(word) + (k * run) % 7);
    path.setAttribute('d', 'M' + numbers.map((x) => x.toFixed(2)).join(' '));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[29];
}"""
"""Milliseconds, in the middle run, to read 4,000 numbers and write them into a path."""

SLOWEST = 3.0
"""The middle move takes at most so many yardsticks; other work reaches only the slowest."""


def quickest(page: Page, figures: Callable[[], list[Locator]]) -> list[dict[str, float]]:
    """Each figure's best of up to four measurements, loaded anew: others use the cores too."""
    best = _against_yardstick(page, figures())
    for _ in range(3):
        if all(measured["yardsticks"] <= SLOWEST for measured in best):
            break
        reload(page)
        pairs = zip(best, _against_yardstick(page, figures()), strict=True)
        best = [min(pair, key=lambda measured: measured["yardsticks"]) for pair in pairs]
    return best


def _against_yardstick(page: Page, figures: list[Locator]) -> list[dict[str, float]]:
    measured, yardstick = timings(figures), page.evaluate(YARDSTICK)
    return [{**times, "yardsticks": times["script p50"] / yardstick} for times in measured]


ALIKE = """() => {
  const looks = new Set(), grounds = new Map();
  const ground = (e) => {
    if (!e) return '';
    if (!grounds.has(e)) {
      const s = getComputedStyle(e);
      grounds.set(e, [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.mixBlendMode,
        ground(e.parentElement)].join('|'));
    }
    return grounds.get(e);
  };
  for (const word of document.querySelectorAll('pre span, .sig span')) {
    const s = getComputedStyle(word);
    const look = [s.color, s.fontSize, s.fontWeight, s.textShadow, s.display, s.visibility,
      ground(word)].join();
    word.toggleAttribute('data-alike', looks.has(look));
    looks.add(look);
  }
}"""


def audit(page: Page) -> AxeResults:
    """What axe finds; its rule on contrast reads one of a listing's words that look alike.

    Words look alike where colour, size, weight and every ground behind them are the same. A page
    has thousands of them, and each costs axe a millisecond or two. All other rules see all words.
    """
    page.evaluate(ALIKE)
    page.evaluate(Axe().axe_script)
    found = page.evaluate(
        """() => {
        axe.configure({rules: [{id: 'color-contrast', selector: '*:not([data-alike])'}]});
        return axe.run({resultTypes: ['violations']});}"""
    )
    return AxeResults(found)


CONTRAST = r"""f => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  let ground = [255, 255, 255];
  for (let e = f; e; e = e.parentElement) {
    const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) { ground = c; break; }
  }
  const ratio = (colour) => {
    const [a, b] = [light(numbers(colour)), light(ground)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const out = [];
  for (const e of f.querySelectorAll('svg text, svg tspan, svg path, svg use')) {
    if (e.closest('defs')) continue;
    const style = getComputedStyle(e), isText = /text|tspan/.test(e.tagName);
    if (isText ? !e.textContent.trim() : +style.strokeOpacity < 0.5) continue;
    const colour = isText ? style.fill : style.stroke;
    if (colour.startsWith('rgb')) out.push([isText, ratio(colour), colour, e.textContent]);
  }
  for (const e of f.querySelectorAll('figcaption, label, output, .gb-note, select, button')) {
    out.push([true, ratio(getComputedStyle(e).color), getComputedStyle(e).color, e.textContent]);
  }
  return out;
}"""


def faint(figure: Locator) -> list[Any]:
    """Texts below 4.5 : 1 and lines below 3 : 1 against the page."""
    return [entry for entry in figure.evaluate(CONTRAST) if entry[1] < (4.5 if entry[0] else 3.0)]


def overflow(page: Page) -> list[str]:
    """What sticks out of the page's width."""
    return page.evaluate(
        """() => {
        const width = document.documentElement.clientWidth, out = [];
        if (document.documentElement.scrollWidth > width) out.push('page');
        for (const f of document.querySelectorAll('[data-genbook-explore], .gb-picture')) {
          for (const e of [f, ...f.querySelectorAll('svg, label, input, output, select, button')]) {
            const box = e.getBoundingClientRect();
            const scrolled = e.tagName === 'svg'
              && e.closest('.gb-roomy, .gb-panel[style], .gb-pan');
            if (scrolled && scrolled.getBoundingClientRect().right <= width + 1) continue;
            if (box.width && (box.right > width + 1 || box.left < -1)) out.push(e.tagName + e.id);
          }
        }
        return out;}"""
    )


def collisions(figure: Locator, frames: int = 500) -> list[str]:
    """Letters of a drawing that lie on one another or on its edge, in frames spread over all."""
    return figure.evaluate(
        """(f, frames) => {
        const out = [];
        const look = (where) => {
          const svg = f.querySelector('.gb-stage > svg'), frame = svg.getBoundingClientRect();
          const boxes = [...svg.querySelectorAll('text')]
            .filter(e => e.textContent.trim() && getComputedStyle(e).visibility !== 'hidden')
            .map(e => ({words: e.textContent.trim(), box: e.getBoundingClientRect()}))
            .filter(({box}) => box.width);
          for (const {words, box} of boxes)
            if (box.left < frame.left - 1 || box.right > frame.right + 1
                || box.top < frame.top - 2 || box.bottom > frame.bottom + 2)
              out.push(`${where}: "${words}" is cut at the edge`);
          boxes.forEach(({words, box}, k) => boxes.slice(k + 1).forEach((other) => {
            const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
            const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
            if (wide > 1.5 && high > 0.3 * Math.min(box.height, other.box.height))
              out.push(`${where}: "${words}" lies on "${other.words}"`);
          }));
        };
        if (!f.genbook) { look('picture'); return out; }
        const {controls, shape} = f.genbook;
        const total = shape.reduce((a, b) => a * b, 1), stride = Math.ceil(total / frames);
        for (let frame = 0; frame < total; frame += stride) {
          const place = {};
          let rest = frame;
          for (let k = controls.length - 1; k >= 0; k -= 1) {
            place[controls[k]] = rest % shape[k];
            rest = Math.floor(rest / shape[k]);
          }
          f.genbook.set(place);
          look(JSON.stringify(place));
        }
        return out;}""",
        frames,
    )


def small_letters(page: Page, least: float = 9.0) -> list[str]:
    """Letters of drawings that a reader sees smaller than they may be, in CSS pixels."""
    return page.evaluate(
        """least => {
        const out = [];
        for (const f of document.querySelectorAll('.gb-explore, .gb-picture')) {
          const whole = f.querySelector('.gb-stage > svg');
          if (!whole) continue;
          const sizes = [...whole.querySelectorAll('text')].filter(e => e.textContent.trim())
            .map(e => parseFloat(getComputedStyle(e).fontSize));
          if (!sizes.length) continue;
          for (const svg of f.querySelectorAll('.gb-stage svg')) {
            const box = svg.getBoundingClientRect();
            if (box.width < 2) continue;
            const seen = Math.min(...sizes) * box.width / svg.viewBox.baseVal.width;
            if (seen < least - 0.05)
              out.push(`${seen.toFixed(1)} px: ${f.querySelector('figcaption').textContent}`);
          }
        }
        return out;}""",
        least,
    )


def cut(page: Page) -> list[str]:
    """Code, tables, formulas and outputs of the article that are wider than their place."""
    return page.evaluate(
        """() => {
        const column = document.querySelector('.bd-article').getBoundingClientRect();
        const out = [];
        for (const e of document.querySelectorAll(
            '.bd-article :is(pre, table, div.math, .cell_output, mjx-container)')) {
          const box = e.getBoundingClientRect();
          if (!box.width) continue;
          const hides = getComputedStyle(e).overflowX !== 'visible';
          if ((hides && e.scrollWidth > e.clientWidth + 2) || box.right > column.right + 2) {
            out.push(`${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`);
          }
        }
        return out;}"""
    )


def misprinted(page: Page) -> list[str]:
    """Formulas that leave their place or lie on their number; tables that do not fit.

    A table does not fit if it is wider than the article, or if a word or a number of it is broken
    in two or leaves its cell; code may break anywhere.
    """
    return page.evaluate(
        r"""() => {
        const article = document.querySelector('.bd-article').getBoundingClientRect(), out = [];
        const say = (fault, words) => out.push(`${fault}: ${words.trim().slice(0, 60)}`);
        for (const formula of document.querySelectorAll('.bd-article mjx-container')) {
          const signs = [...formula.querySelectorAll('mjx-c, mjx-utext')]
            .map((sign) => sign.getBoundingClientRect()).filter((box) => box.width);
          if (!signs.length) continue;
          const around = formula.closest('div.math, p, li, td, th, dd, figcaption, summary')
            ?? formula.parentElement;
          const place = around.getBoundingClientRect();
          const leaves = (box) => box.right > place.right + 1 || box.left < place.left - 1;
          if (signs.some(leaves)) say('leaves its place', formula.textContent);
          const number = formula.parentElement.querySelector(':scope > .eqno');
          const there = number?.getBoundingClientRect();
          const hits = (box) => box.right > there.left && box.left < there.right
            && box.bottom > there.top && box.top < there.bottom;
          if (there?.width && signs.some(hits)) say('lies on its number', formula.textContent);
        }
        for (const table of document.querySelectorAll('.bd-article table')) {
          const width = table.getBoundingClientRect();
          if (width.right > article.right + 1) say('wider than the article', table.textContent);
          for (const cell of table.querySelectorAll('th, td')) {
            const place = cell.getBoundingClientRect();
            const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
            for (let text = texts.nextNode(); text; text = texts.nextNode()) {
              if (text.parentElement.closest('code, mjx-container')) continue;
              for (const word of text.data.matchAll(/[−+±]?[\p{L}\p{N}.,]+/gu)) {
                const range = document.createRange();
                range.setStart(text, word.index);
                range.setEnd(text, word.index + word[0].length);
                const boxes = [...range.getClientRects()].filter((box) => box.width);
                if (new Set(boxes.map((box) => Math.round(box.top))).size > 1)
                  say('broken in two', word[0]);
                if (boxes.some((box) => box.right > place.right + 1))
                  say('leaves its cell', word[0]);
              }
            }
          }
        }
        return out;}"""
    )


def pale(page: Page) -> list[str]:
    """Texts of the article that stand out from white paper by less than 3 : 1."""
    return page.evaluate(
        r"""() => {
        const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const out = new Set();
        const walker = document.createTreeWalker(
          document.querySelector('.bd-article'), NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
          if (!text || !e.getClientRects().length || e.closest('script, style, svg')) continue;
          const [r, g, b] = getComputedStyle(e).color.match(/[\d.]+/g).map(Number);
          const light = 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
          if (1.05 / (light + 0.05) < 3) out.add(`${text.slice(0, 30)} ${r} ${g} ${b}`);
        }
        return [...out];}"""
    )


def smallest_text(figure: Locator) -> float:
    """Height in pixels of the smallest letters that a column shows on a narrow screen."""
    return figure.evaluate(
        """f => Math.min(...[...f.querySelectorAll('.gb-panel svg')].map(window => {
        const scale = window.getBoundingClientRect().width / window.viewBox.baseVal.width;
        const sizes = [...f.querySelectorAll('.gb-stage > svg text')].map(
          text => parseFloat(getComputedStyle(text).fontSize));
        return scale * Math.min(...sizes);
        }))"""
    )


def references(figure: Locator) -> dict[str, Any]:
    """What Python drew for five random points of a figure of the built book."""
    name, edition = figure.get_attribute("id"), figure.get_attribute("data-edition")
    return _recorded(f"{name}-{edition}")


@cache
def _recorded(name: str) -> dict[str, Any]:
    path = REFERENCES / f"{name}.json"
    if not path.exists():
        raise AssertionError(f"no reference drawings for {name}: run make clean, then make book")
    return dict(json.loads(path.read_text(encoding="utf-8")))
