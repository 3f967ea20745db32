// Figures that a reader can push: one script for the static page and for the live widget.
// Static: every frame is in the page, as what changes against the first one (delta.py).
// Live: the kernel draws; only the newest wish is sent, once the last drawing has arrived.

const LETTERS = (() => {
  const codes = new Uint8Array(128);
  let count = 0;
  for (let code = 33; code < 127; code++) {
    if (!'"&<>\\'.includes(String.fromCharCode(code))) codes[code] = count++;
  }
  return codes;
})();
const BASE = 89, ONES = 55, ZEROS = 55, TWOS = 56, THREES = 85, FIVES = 88;
const TWO_COUNT = (THREES - TWOS) * BASE, THREE_COUNT = (FIVES - THREES) * BASE * BASE;

const unzigzag = (code) => (code % 2 ? -(code + 1) / 2 : code / 2);

function unpack(text) {
  const numbers = [];
  let place = 0;
  const next = () => LETTERS[text.charCodeAt(place++)];
  while (place < text.length) {
    const lead = next();
    if (lead < ONES) numbers.push(unzigzag(lead));
    else if (lead === ZEROS) for (let run = next() + 2; run > 0; run--) numbers.push(0);
    else if (lead < THREES) numbers.push(unzigzag(ONES + (lead - TWOS) * BASE + next()));
    else if (lead < FIVES) {
      const high = next();
      numbers.push(unzigzag(ONES + TWO_COUNT + ((lead - THREES) * BASE + high) * BASE + next()));
    } else {
      let rest = 0;
      for (let k = 0; k < 4; k++) rest = rest * BASE + next();
      numbers.push(unzigzag(ONES + TWO_COUNT + THREE_COUNT + rest));
    }
  }
  return numbers;
}

const hundredths = (text) => (text.match(/-?\d+(?:\.\d+)?/g) || []).map((n) => Math.round(n * 100));

// A packed value: the skeleton, then the xs, then the ys, each as differences of some order,
// from zero or from the first frame's numbers.
function uncode(code, skeletons, base) {
  const stream = unpack(code);
  const skeleton = skeletons[stream[0]];
  let count = 0;
  for (const run of skeleton.match(/\d+/g)) count += +run;
  const numbers = new Array(count);
  let read = 1;
  for (let offset = 0; offset < 2; offset++) {
    const coded = stream[read++];
    const mode = coded < 0 ? -2 * coded - 1 : 2 * coded;
    const absolute = mode > 3, order = (mode - 1) % 3;
    let value = 0, slope = 0;
    for (let k = offset; k < count; k += 2) {
      if (mode === 0) { numbers[k] = base[k]; continue; }
      const rest = stream[read++];
      if (order === 2) { slope += rest; value += slope; }
      else if (order === 1) value += rest;
      else value = rest;
      numbers[k] = absolute ? value : value + base[k];
    }
  }
  let used = 0;
  return skeleton.replace(/\d+/g, (run) => {
    const end = used + +run;
    let text = "";
    for (; used < end; used++) text += (text && " ") + numbers[used] / 100;
    return text;
  });
}

// An entry of the data → a function that shows a frame's value, `at` being its place in the grid.
// [element, name, controls, table] or [… table, packed places, 0]: texts;
// [element, name, controls, skeletons, codes]: numbers.
function column([place, name, axes, words, codes, indirect], nodes, shape) {
  const node = nodes[place];
  const where = (at) => axes.reduce((sum, axis) => sum * shape[axis] + at[axis], 0);
  let value = (number) => words[number];
  if (indirect !== undefined) {
    const places = unpack(codes);
    value = (number) => words[places[number]];
  }
  if (name === "?") return presence(node, (at) => value(where(at)) !== null);
  const first = name === "" ? node.textContent : node.getAttribute(name);
  if (codes !== undefined && indirect === undefined) {
    const texts = codes.split(" "), base = hundredths(first), cache = new Map();
    value = (number) => {
      const code = texts[number];
      if (!cache.has(code)) cache.set(code, uncode(code, words, base));
      return cache.get(code);
    };
  }
  let shown = name === "*" ? undefined : first;
  return (at) => {
    const wanted = value(where(at));
    if (wanted === shown) return;
    shown = wanted;
    if (name === "") node.textContent = wanted;
    else if (name === "*") node.innerHTML = wanted;
    else if (wanted === null) node.removeAttribute(name);
    else node.setAttribute(name, wanted);
  };
}

// An element that some frames lack: put back before the next of its siblings that is there.
function presence(node, wanted) {
  const parent = node.parentNode, family = [...parent.children];
  const later = family.slice(family.indexOf(node) + 1);
  return (at) => {
    const there = node.parentNode === parent;
    if (wanted(at) === there) return;
    if (there) node.remove();
    else parent.insertBefore(node, later.find((other) => other.parentNode === parent) || null);
  };
}

// The first drawing with all the elements that only other frames have, in the document's order.
function template(svg, extras) {
  const all = () => [svg, ...svg.querySelectorAll("*")];
  for (const [parent, place, markup] of extras) {
    const host = all()[parent], holder = host.cloneNode(false);
    holder.innerHTML = markup;
    host.insertBefore(holder.firstElementChild, host.children[place] || null);
  }
  return all();
}

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const written = (control, index) => control.texts[index] + (control.unit && ` ${control.unit}`);

// Native inputs for the controls. `changed(place)` is called for each change by the reader.
function panel(host, id, controls, start, changed, signal) {
  const place = [...start];
  const parts = controls.map((control, k) => input(control, `${id}-${control.name}`, (index) => {
    place[k] = index;
    parts[k].show(index);
    changed(place);
  }, signal));
  host.replaceChildren(...parts.map((part) => part.element));
  host.hidden = false;
  const show = (wanted) => wanted.forEach((index, k) => {
    place[k] = index;
    parts[k].show(index);
  });
  show(start);
  return {
    place, parts, show,
    stop: () => parts.forEach((part) => part.stop && part.stop()),
    text: () => controls.map((c, k) => `${c.label} = ${written(c, place[k])}`).join(", "),
  };
}

function input(control, id, changed, signal) {
  const label = make("label", { for: id }, control.label);
  if (control.kind === "menu") {
    const select = make("select", { id, autocomplete: "off" },
      ...control.texts.map((text, k) => make("option", { value: k }, written(control, k))));
    select.addEventListener("input", () => changed(+select.value), { signal });
    const element = make("div", { class: "gb-control gb-menu" }, label, select);
    return { element, field: select, show: (index) => { select.value = index; } };
  }
  if (control.kind === "checkbox") {
    const box = make("input", { id, type: "checkbox", autocomplete: "off" });
    box.addEventListener("input", () => changed(+box.checked), { signal });
    const element = make("div", { class: "gb-control gb-checkbox" }, box, label);
    return { element, field: box, show: (index) => { box.checked = index === 1; } };
  }
  const last = control.texts.length - 1;
  const range = make("input", { id, type: "range", min: 0, max: last, step: 1, autocomplete: "off" });
  const output = make("output", { for: id, "aria-live": "off" });
  output.style.minWidth = `${Math.max(...control.texts.map((t, k) => written(control, k).length))}ch`;
  const show = (index) => {
    range.value = index;
    output.value = written(control, index);
    range.setAttribute("aria-valuetext", written(control, index));
  };
  const element = make("div", { class: "gb-control gb-slider" }, label, range, output);
  range.addEventListener("input", () => changed(+range.value), { signal });
  if (control.kind !== "steps") return { element, field: range, show };
  const { button, stop } = player(control, range, last, changed, signal);
  element.classList.add("gb-steps");
  label.after(button);
  range.addEventListener("pointerdown", stop, { signal });
  range.addEventListener("keydown", stop, { signal });
  return { element, field: range, button, show, stop };
}

// Plays a recorded run once, from where it stands; never by itself.
function player(control, range, last, changed, signal) {
  const word = make("span"), button = make("button", { type: "button", class: "gb-play" }, word,
    make("span", { class: "gb-unseen" }, ` ${control.label}`));
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    word.textContent = "Play";
    button.dataset.state = "paused";
  };
  const step = () => {
    const next = +range.value + 1;
    if (next > last || !range.isConnected) { stop(); return; }
    changed(next);
    if (next === last) stop();
    else timer = setTimeout(step, pause());
  };
  // Slower where the reader asks for less motion.
  const pause = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? 600 : 120);
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    word.textContent = "Pause";
    button.dataset.state = "playing";
    if (+range.value === last) changed(0);
    timer = setTimeout(step, pause());
  }, { signal });
  signal.addEventListener("abort", stop);
  stop();
  return { button, stop };
}

// Milliseconds that a finger rests before it drags up and down, and pixels that it may slip.
const HOLD = 250, SLIP = 8;

// Dragging over the first axes sets one or two sliders from the pointer's place in data units.
// A finger that strokes up or down scrolls the page; one that strokes sideways or rests first drags.
function dragging(stage, drag, controls, parts, set, signal) {
  const [left, top, width, height] = drag.box;
  const area = make("div", { class: "gb-drag", "aria-hidden": "true" });
  area.style.cssText = `left:${left}%;top:${top}%;width:${width}%;height:${height}%;` +
    `--gb-left:${left / 100};--gb-wide:${width / 100};touch-action:pan-y pinch-zoom;` +
    `cursor:${drag.controls[0] === null ? "ns-resize" : drag.controls[1] === null ? "ew-resize" : "move"}`;
  const along = (share, [low, high], log) =>
    log ? low * (high / low) ** share : low + (high - low) * share;
  const nearest = (values, x) => {
    let best = 0;
    values.forEach((value, k) => { if (Math.abs(value - x) < Math.abs(values[best] - x)) best = k; });
    return best;
  };
  const follow = (event) => {
    const box = area.getBoundingClientRect();
    const shares = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
    const wanted = {};
    drag.controls.forEach((k, way) => {
      if (k === null) return;
      const value = along(shares[way], drag.limits[way], drag.log[way]);
      wanted[k] = nearest(controls[k].values, value);
    });
    set(wanted);
  };
  let finger = null, held = false;
  const grab = (event) => {
    area.setPointerCapture(event.pointerId);
    parts[drag.controls.find((k) => k !== null)].field.focus({ preventScroll: true });
    follow(event);
  };
  const hold = () => { held = true; area.classList.add("gb-held"); grab(finger.event); };
  const release = () => {
    clearTimeout(finger && finger.timer);
    finger = null;
    held = false;
    area.classList.remove("gb-held");
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (event.pointerType === "touch") {
      release();
      finger = { event, timer: setTimeout(hold, HOLD) };
      return;
    }
    event.preventDefault();
    grab(event);
  }, { signal });
  area.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") {
      if (area.hasPointerCapture(event.pointerId)) follow(event);
    } else if (held) {
      follow(event);
    } else if (finger) {
      const x = Math.abs(event.clientX - finger.event.clientX);
      const y = Math.abs(event.clientY - finger.event.clientY);
      if (Math.max(x, y) <= SLIP) return;
      clearTimeout(finger.timer);
      if (x > y && drag.controls[0] !== null) { hold(); follow(event); } else finger = null;
    }
  }, { signal });
  area.addEventListener("pointerup", (event) => {
    if (event.pointerType === "touch" && finger && !held) grab(event);
    release();
  }, { signal });
  area.addEventListener("pointercancel", release, { signal });
  area.addEventListener("touchmove", (event) => { if (held) event.preventDefault(); },
    { signal, passive: false });
  area.addEventListener("contextmenu", (event) => { if (finger) event.preventDefault(); }, { signal });
  stage.append(area);
}

// What both forms share: the panel, dragging, the spoken readout. `draw(place)` shows a frame.
function assemble(figure, spec, draw, signal) {
  const stage = figure.querySelector(".gb-stage");
  const readout = figure.querySelector(".gb-readout");
  const note = figure.querySelector(".gb-note");
  let timer = 0;
  const report = () => {
    const drawing = stage.querySelector("svg");
    const remark = (drawing && drawing.dataset.note) || "";
    if (note.textContent !== remark) note.textContent = remark;
    clearTimeout(timer);  // spoken once the reader rests
    timer = setTimeout(() => { readout.textContent = `${own.text()}. ${remark}`.trim(); }, 200);
  };
  const changed = (place) => { draw(place); report(); };
  const own = panel(figure.querySelector(".gb-controls"), figure.id, spec.controls, spec.start,
    changed, signal);
  signal.addEventListener("abort", () => clearTimeout(timer));
  const set = (wanted) => {
    let moved = false;
    for (const [k, index] of Object.entries(wanted)) {
      if (own.place[k] === index) continue;
      own.place[k] = index;
      own.parts[k].show(index);
      moved = true;
    }
    if (moved) changed(own.place);
  };
  if (spec.drag) {
    dragging(stage, spec.drag, spec.controls, own.parts, set, signal);
    const { number, box } = spec.drag.column || {};
    const column = stage.querySelectorAll(".gb-panel")[number];
    if (column) dragging(column, { ...spec.drag, box }, spec.controls, own.parts, set, signal);
  }
  report();
  return { ...own, report, set };
}

function number(shape, place) {
  return place.reduce((sum, index, k) => sum * shape[k] + index, 0);
}

// The static form: `figure` holds the first drawing and the data.
// The same figure may stand on a page twice: the later one takes ids of its own.
function setApart(figure) {
  const old = figure.id;
  const taken = (id) => document.querySelectorAll(`#${CSS.escape(id)}`).length;
  if (taken(old) < 2) return;
  let count = 2;
  while (taken(`${old}_${count}`)) count += 1;
  const inside = new RegExp(`\\b${old}(?=-)`, "g"), own = `${old}_${count}`;
  figure.id = own;
  for (const node of figure.querySelectorAll("*")) {
    for (const { name, value } of [...node.attributes]) {
      if (value.includes(old)) node.setAttribute(name, value.replace(inside, own));
    }
  }
  const data = figure.querySelector("script[type='application/json']");
  data.textContent = data.textContent.replace(inside, own);
}

function mount(figure) {
  if (!figure || figure.genbook) return;
  try {
    start(figure);
  } catch (error) {  // a browser too old: the first frame and a sentence stand
    console.error(error);
    figure.querySelector(".gb-controls").hidden = true;
    figure.dataset.genbookExplore = "failed";
  }
}

function start(figure) {
  setApart(figure);
  const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const shape = spec.controls.map((control) => control.texts.length);
  const svg = figure.querySelector("svg");
  const nodes = template(svg, spec.extras);
  const columns = spec.columns.map((entry) => column(entry, nodes, shape));
  const draw = (place) => { for (const show of columns) show(place); };
  const ends = new AbortController();
  draw(spec.start);
  const own = assemble(figure, spec, draw, ends.signal);
  figure.genbook = {
    controls: spec.controls.map((control) => control.name),
    shape,
    get place() { return [...own.place]; },
    get frameIndex() { return number(shape, own.place); },
    get svg() { return svg.outerHTML; },
    // By name and place on the control's grid: set({mu: 3}).
    set(wanted) {
      own.set(Object.fromEntries(Object.entries(wanted).map(
        ([name, index]) => [spec.controls.findIndex((c) => c.name === name), index])));
    },
    close: () => { own.stop(); ends.abort(); },
  };
  const still = figure.querySelector(".gb-still");
  if (still) still.remove();
  figure.dataset.genbookExplore = "ready";
}

// The live form, called by anywidget.
function render({ model, el }) {
  const spec = model.get("spec");
  const view = `${model.get("name")}-${Math.random().toString(36).slice(2, 8)}`;
  const figure = make("figure", { class: "gb-explore", id: view, "data-genbook-explore": "live" },
    make("div", { class: "gb-stage" }),
    make("div", { class: "gb-controls", role: "group", "aria-label": "Controls of the figure" }),
    make("p", { class: "gb-note" }),
    make("p", { class: "gb-error", role: "alert" }),
    make("p", { class: "gb-readout", "aria-live": "polite" }));
  const caption = make("figcaption");
  caption.innerHTML = spec.caption;
  figure.append(caption);
  el.replaceChildren(figure);
  const stage = figure.querySelector(".gb-stage"), error = figure.querySelector(".gb-error");
  const ends = new AbortController();
  let wish = null, asked = 0, waiting = 0, sent = 0;
  const pump = () => {
    if (waiting || !wish) return;
    waiting = ++asked;
    sent++;
    model.set("request", { view, number: waiting, place: wish });
    wish = null;
    model.save_changes();
  };
  const put = (drawing) => {
    const old = stage.querySelector("svg");
    const holder = document.createElement("div");
    holder.innerHTML = drawing;
    const svg = holder.firstElementChild;
    if (old) old.replaceWith(svg); else stage.prepend(svg);
  };
  put(model.get("drawing"));
  const start = { ...spec, start: model.get("place") };
  const own = assemble(figure, start, (place) => { wish = [...place]; pump(); }, ends.signal);
  for (const field of figure.querySelectorAll("input, select, button")) {
    field.setAttribute("data-lm-suppress-shortcuts", "true");  // JupyterLab wants the arrow keys
  }
  const arrived = () => {
    const reply = model.get("reply");
    error.textContent = reply.error || "";
    if (!reply.error) { put(model.get("drawing")); own.report(); }
    if (reply.view === view && reply.number === waiting) {
      waiting = 0;
      pump();
    } else if (reply.view !== view && !waiting && !wish) own.show(reply.place);
  };
  model.on("change:reply", arrived);
  figure.genbook = {
    controls: spec.controls.map((control) => control.name),
    get place() { return [...own.place]; },
    get sent() { return sent; },
    get svg() { return stage.querySelector("svg").outerHTML; },
    set(wanted) {
      own.set(Object.fromEntries(Object.entries(wanted).map(
        ([name, index]) => [spec.controls.findIndex((c) => c.name === name), index])));
    },
  };
  return () => {
    own.stop();
    ends.abort();
    model.off("change:reply", arrived);
    el.replaceChildren();
  };
}

export default { mount, render };
