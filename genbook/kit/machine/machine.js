// A machine on a page: the worker computes, this side draws and listens.
function mountMachine(figure, spec, workerText, packed) {
  const $ = (name) => figure.querySelector(name);
  const state = (word) => { figure.dataset.genbookMachineState = word; };
  const canvases = [...figure.querySelectorAll("canvas")], readout = $(".gb-readout"), still = $(".gb-still");
  const panel = $(".gb-controls"), bar = $(".gb-machine-bar");
  const settings = {}, fields = {};
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  let worker = null, data = [], mine = false, seed = 1, running = false, slow = false, busy = false;
  let at = -1, strange = 0, steps = 0, turn = 0, batch = 1, seen = null, ended = false, wanted = 0, stale = false, tick = 0;

  // Controls
  const control = (label, field, ...more) => panel.append(
    make("div", { class: "gb-control" }, make("label", { for: field.id }, label), field, ...more));
  const select = (name, words) => {
    const field = make("select", { id: `${figure.id}-${name}` });
    words.forEach((word) => field.append(make("option", { value: word }, word)));
    return field;
  };
  const presets = Object.keys(spec.data);
  const dataField = select("data", [...presets, "yours"]);
  dataField.addEventListener("change", () => {
    if (dataField.value === "yours") clear();
    else { mine = false; data = spec.data[dataField.value].slice(); spell(); renewed(); }
  });
  control(spec.called, dataField);
  spec.controls.forEach((c) => {
    if (c.kind === "choice") {
      const field = fields[c.name] = select(c.name, c.words);
      field.selectedIndex = c.start;
      settings[c.name] = c.words[c.start];
      field.addEventListener("change", () => {
        settings[c.name] = c.words[field.selectedIndex];
        if (c.restarts) reset(); else { send({ settings }); ask(0); remember(); }
      });
      control(c.label, field);
      return;
    }
    const id = `${figure.id}-${c.name}`, shown = make("output", { for: id });
    const field = fields[c.name] = make("input", { id, type: "range", min: 0, max: c.values.length - 1, step: 1 });
    field.value = c.start;
    const set = () => {
      settings[c.name] = c.values[field.value];
      shown.textContent = String(c.values[field.value]);
      field.setAttribute("aria-valuetext", shown.textContent);
    };
    set();
    field.addEventListener("input", () => { set(); send({ settings }); if (!running) ask(0); remember(); });
    control(c.label, field, shown);
  });
  panel.hidden = false;

  const button = (word, action) => {
    const element = make("button", { type: "button", class: "gb-machine-button" }, word);
    element.addEventListener("click", action);
    bar.append(element);
    return element;
  };
  button("Step", () => { pause(); ask(1); });
  const run = button("Run", () => (running ? pause() : go()));
  button("Reset", () => reset());
  const slowly = button("Slow", () => {
    slow = !slow;
    slowly.setAttribute("aria-pressed", String(slow));
  });
  slowly.setAttribute("aria-pressed", "false");
  if (spec.random) button("Another seed", () => { seed += 1; reset(); });
  button(`Clear ${spec.called}`, () => clear());
  bar.hidden = false;
  if (still) still.remove();

  // The worker
  const send = (message) => { if (worker) worker.postMessage(message); };
  const start = () => {
    if (worker) return;
    const address = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    worker = new Worker(address);
    URL.revokeObjectURL(address);
    worker.onmessage = ({ data: reply }) => arrived(reply);
    worker.onerror = (event) => fail(`The machine stopped: ${event.message}.`);
    send({ packed });
  };
  const fail = (words) => {
    ended = true;
    running = false;
    run.textContent = "Run";
    readout.textContent = words;
    state("failed");
  };
  const reset = () => {
    running = false;
    run.textContent = "Run";
    ended = busy = stale = false;
    wanted = steps = 0;
    batch = 1;
    turn += 1;
    start();
    if (data.length) { send({ reset: true, turn, seed, settings, data, at }); ask(0); }
    else { seen = null; draw(); readout.textContent = spec.empty; state("ready"); }
    remember();
  };
  const renewed = () => {  // other data
    if (spec.restarts || ended || !seen) { reset(); return; }
    send({ data });
    if (!running) ask(0);
    remember();
  };
  const clear = () => {
    mine = true;
    dataField.value = "yours";
    data = spec.growing ? [] : spec.data[presets[0]].map(() => 0);
    spell();
    renewed();
  };
  const ask = (count) => {
    if (ended || !data.length) return;
    if (count && at >= 0) { at = -1; send({ at }); }
    if (busy) { wanted += count; stale = true; return; }
    busy = true;
    send({ run: count });
  };
  const go = () => {
    if (!data.length || ended) return;
    running = true;
    run.textContent = "Pause";
    state("running");
    ask(slow ? 1 : batch);
  };
  const pause = () => {
    running = false;
    wanted = 0;
    run.textContent = "Run";
    if (!ended) { state("stopped"); if (seen) speak(); }
  };
  const arrived = (reply) => {
    if (reply.state || reply.turn !== turn) return;
    busy = false;
    steps = reply.steps;
    if (reply.broken) {
      fail(`Stopped in step ${steps}: ${reply.broken} is no longer a finite number. Reset, or take smaller steps.`);
      return;
    }
    seen = reply.seen;
    if (reply.count) batch = Math.max(1, Math.min(spec.pace, Math.round(batch * Math.min(2, 30 / Math.max(reply.took, 1)))));
    requestAnimationFrame(() => {
      draw();
      if (!running || performance.now() - tick > 1000) { tick = performance.now(); speak(); }
      if (!running && !ended) state(steps ? "stopped" : "ready");
      if (running) {
        const again = () => { if (running && !busy) ask(slow ? 1 : batch); };
        if (slow) setTimeout(again, 250); else again();
      } else if (stale) {
        const count = Math.min(wanted, 1);
        wanted -= count;
        stale = wanted > 0;
        ask(count);
      }
    });
  };
  const speak = () => {
    const number = (name) => {
      const kind = "%#@".includes(name.slice(-1)) ? name.slice(-1) : "";
      const value = seen[kind ? name.slice(0, -1) : name];
      if (value === undefined) return "–";
      if (kind === "@") return `“${shown(spec.alphabet[value[0]])}”`;
      const text = kind === "%" ? `${Math.round(100 * value[0])} %` : value[0].toFixed(kind ? 0 : 3);
      return text.replace("-", "−").replace("Infinity", "∞");
    };
    readout.textContent = (steps ? `Step ${steps}. ` : "") + spec.words.replace(/\{([^}]+)\}/g, (_, name) => number(name))
      + (strange ? ` Characters that the network never saw: ${strange}, read as “?”.` : "");
  };

  // Drawing
  const what = (name) => (name === "data" ? data : seen ? seen[name] : null);
  const draw = () => canvases.forEach((canvas, k) => {
    const spot = drawPanel(canvas, spec.panels[k], figure, what, spec.alphabet);
    if (document.activeElement !== canvas || !held[k]) return;
    const { pen, X, Y, ratio } = spot, [x, y, wide, high] = held[k].cross();
    pen.strokeStyle = spot.colour("--gb-ink");
    pen.lineWidth = ratio;
    if (wide) { pen.strokeRect(X(x - wide / 2), Y(y + high / 2), X(wide) - X(0), Y(0) - Y(high)); return; }
    pen.beginPath();
    pen.moveTo(X(x) - 8 * ratio, Y(y)); pen.lineTo(X(x) + 8 * ratio, Y(y));
    pen.moveTo(X(x), Y(y) - 8 * ratio); pen.lineTo(X(x), Y(y) + 8 * ratio);
    pen.stroke();
  });

  // The reader's data
  const host = {
    data: () => data,
    what,
    alphabet: spec.alphabet,
    look(item) {
      if (item === at) return;
      at = item;
      send({ at });
      if (!running) ask(0);
    },
    own(fresh) {
      if (!mine) { mine = true; data = fresh || data.slice(); dataField.value = "yours"; }
      return data;
    },
    room(more) {
      if (!mine || data.length + more <= spec.item * spec.most) return true;
      readout.textContent = `${spec.most} points are enough.`;
      return false;
    },
    changed() {
      draw();
      if (!spec.restarts && seen) { send({ data }); if (!running) ask(0); }
    },
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const held = canvases.map((canvas, k) => {
    const area = spec.panels[k];
    if (!area.hand) return null;
    const hand = hands[area.hand.kind]({ hand: area.hand, panel: area, host });
    const spot = (event) => {
      const box = canvas.getBoundingClientRect();
      return [across(area.x, (event.clientX - box.left) / box.width), across(area.y, 1 - (event.clientY - box.top) / box.height)];
    };
    let drawing = false;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      if (spec.restarts && !hand.looks) pause();
      drawing = true;
      canvas.style.touchAction = "none";  // who draws does not scroll
      canvas.setPointerCapture(event.pointerId);
      hand.down(spot(event), event.shiftKey);
    });
    canvas.addEventListener("pointermove", (event) => { if (drawing || hand.looks) hand.move(spot(event), event.shiftKey); });
    const release = () => { if (drawing) { drawing = false; if (!hand.looks) renewed(); } };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("focus", draw);
    canvas.addEventListener("blur", draw);
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const done = hand.key(event.key, arrows[event.key] || [0, 0]);
      if (!done) return;
      event.preventDefault();
      if (done === "done") { if (spec.restarts) pause(); renewed(); }
      draw();
    });
    return hand;
  });

  // A text is typed in a field of its own
  const typed = spec.panels.some(({ hand }) => hand && hand.kind === "text");
  const writing = typed ? textField(make, `${figure.id}-text`, spec, host.look, (codes, odd, item) => {
    [data, strange, at, mine] = [codes, odd, item, true];
    dataField.value = "yours";
    renewed();
  }) : null;
  const spell = () => {
    strange = 0;
    if (writing) writing.value = data.map((code) => spec.alphabet[code]).join("");
  };
  if (writing) {
    control("the text", writing);
    writing.parentElement.classList.add("gb-writing");
  }

  // The set-up in the page's address
  const mark = `machine-${spec.name}`;
  let remembering = false;
  const remember = () => {
    if (!remembering) return;
    const words = [["data", dataField.value], ["seed", seed],
      ...spec.controls.map((c) => [c.name, c.kind === "choice" ? fields[c.name].selectedIndex : fields[c.name].value])];
    if (mine) words.push(["numbers", data.map((x) => Math.round(x / spec.grain)).join(",")]);
    try { history.replaceState(null, "", `#${mark}?${new URLSearchParams(words)}`); } catch { /* a frame without an address */ }
  };
  const recall = () => {
    const [name, query] = location.hash.slice(1).split("?");
    if (name !== mark || !query) return;
    const words = new URLSearchParams(query), wish = words.get("data");
    if (wish === "yours" || wish in spec.data) dataField.value = wish;
    mine = dataField.value === "yours";
    const most = spec.growing ? spec.item * spec.most : data.length;
    if (mine) {
      const own = (words.get("numbers") || "").split(",").filter(Boolean).map((x) => Number(x) * spec.grain)
        .filter((x) => (typed ? x in [...spec.alphabet] : Number.isFinite(x))).slice(0, most);
      if (spec.growing) data = own.slice(0, own.length - own.length % spec.item);
      else data = data.map((_, k) => own[k] || 0);
    } else data = spec.data[dataField.value].slice();
    seed = Math.max(0, Math.floor(Number(words.get("seed")) || 1));
    spec.controls.forEach((c) => {
      const index = Number(words.get(c.name));
      if (!words.has(c.name) || !Number.isInteger(index) || index < 0 || index >= (c.words || c.values).length) return;
      if (c.kind === "choice") { fields[c.name].selectedIndex = index; settings[c.name] = c.words[index]; }
      else { fields[c.name].value = index; fields[c.name].dispatchEvent(new Event("input")); }
    });
  };
  data = spec.data[presets[0]].slice();
  recall();
  spell();
  const quit = () => { if (worker) worker.terminate(); worker = null; };
  figure.genbookMachine = {
    settings, ask, dump: () => new Promise((done) => {
      start();
      const listen = ({ data: reply }) => { if (reply.state) { worker.removeEventListener("message", listen); done(reply); } };
      worker.addEventListener("message", listen);
      send({ dump: true });
    }),
    get data() { return data; },
    get busy() { return busy; },
    get steps() { return steps; },
  };
  new ResizeObserver(draw).observe(canvases[0] || figure);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  addEventListener("pagehide", quit);
  reset();
  remembering = true;
  return quit;
}
