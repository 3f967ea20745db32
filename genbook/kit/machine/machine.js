// A machine on a page: the worker computes, this side draws and listens.
const state = (figure, word) => { figure.dataset.genbookMachineState = word; };

function mountMachine(figure, spec, workerText) {
  const $ = (name) => figure.querySelector(name);
  const canvas = $("canvas"), readout = $(".gb-readout"), still = $(".gb-still");
  const panel = $(".gb-controls"), bar = $(".gb-machine-bar");
  const settings = {}, fields = {};
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  let worker = null, points = [], mine = false, seed = 1, running = false, slow = false, busy = false;
  let steps = 0, turn = 0, batch = 1, seen = null, cross = [0, 0], ended = false, wanted = false, tick = 0;

  // Controls
  spec.controls.forEach((control) => {
    const id = `${figure.id}-${control.name}`;
    const label = make("label", { for: id }, control.label);
    let field, shown = null;
    if (control.kind === "choice") {
      field = make("select", { id });
      control.words.forEach((word) => field.append(make("option", { value: word }, word)));
      field.selectedIndex = control.start;
      settings[control.name] = control.words[control.start];
      field.addEventListener("change", () => {
        settings[control.name] = control.words[field.selectedIndex];
        reset();
      });
    } else {
      field = make("input", { id, type: "range", min: 0, max: control.values.length - 1, step: 1 });
      field.value = control.start;
      shown = make("output", { for: id });
      const set = () => {
        settings[control.name] = control.values[field.value];
        shown.textContent = String(control.values[field.value]);
        field.setAttribute("aria-valuetext", shown.textContent);
      };
      set();
      field.addEventListener("input", () => { set(); send({ settings }); remember(); });
    }
    fields[control.name] = field;
    panel.append(make("div", { class: "gb-control" }, label, field, ...(shown ? [shown] : [])));
  });
  const dataField = make("select", { id: `${figure.id}-data` });
  [...Object.keys(spec.data), "yours"].forEach((name) => dataField.append(make("option", { value: name }, name)));
  dataField.addEventListener("change", () => {
    mine = dataField.value === "yours";
    points = mine ? [] : spec.data[dataField.value].slice();
    reset();
  });
  panel.prepend(make("div", { class: "gb-control" },
    make("label", { for: dataField.id }, "the data"), dataField));
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
  button("Another seed", () => { seed += 1; reset(); });
  button("Clear the data", () => { dataField.value = "yours"; mine = true; points = []; reset(); });
  bar.hidden = false;
  if (still) still.remove();

  // The worker
  const send = (message) => { if (worker) worker.postMessage(message); };
  const start = () => {
    if (worker) return;
    const address = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    worker = new Worker(address);
    URL.revokeObjectURL(address);
    worker.onmessage = ({ data }) => arrived(data);
    worker.onerror = (event) => fail(`The machine stopped: ${event.message}.`);
  };
  const fail = (words) => {
    ended = true;
    running = false;
    run.textContent = "Run";
    readout.textContent = words;
    state(figure, "failed");
  };
  const reset = () => {
    running = false;
    run.textContent = "Run";
    ended = busy = wanted = false;
    steps = 0;
    batch = 1;
    turn += 1;
    start();
    send({ reset: true, turn, seed, settings, points });
    if (points.length) ask(0);
    else { busy = false; seen = null; draw(); readout.textContent = "Draw some data: click or drag on the picture."; state(figure, "ready"); }
    remember();
  };
  const ask = (count) => {
    if (busy || ended) { wanted = wanted || count > 0; return; }
    if (!points.length) return;
    busy = true;
    send({ run: count });
  };
  const go = () => {
    if (!points.length || ended) return;
    running = true;
    run.textContent = "Pause";
    state(figure, "running");
    ask(slow ? 1 : batch);
  };
  const pause = () => {
    running = false;
    run.textContent = "Run";
    if (!ended) state(figure, "stopped");
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
    if (reply.count) batch = Math.max(1, Math.min(200, Math.round(batch * Math.min(2, 30 / Math.max(reply.took, 1)))));
    requestAnimationFrame(() => {
      draw();
      if (!running || performance.now() - tick > 1000) { tick = performance.now(); speak(); }
      if (!running && !ended) state(figure, steps ? "stopped" : "ready");
      const again = () => { if (running && !busy) ask(slow ? 1 : batch); };
      if (wanted && !running) { wanted = false; ask(1); }
      else if (running) { if (slow) setTimeout(again, 250); else again(); }
    });
  };
  const speak = () => {
    const number = (name) => {
      const percent = name.endsWith("%"), value = seen[percent ? name.slice(0, -1) : name];
      if (value === undefined) return "–";
      return percent ? `${Math.round(100 * value[0])} %` : value[0].toFixed(3).replace("-", "−");
    };
    readout.textContent = `Step ${steps}. ` + spec.words.replace(/\{([^}]+)\}/g, (_, name) => number(name));
  };

  // Drawing
  const [left, right] = spec.limits.x, [bottom, top] = spec.limits.y;
  const colour = (name) => getComputedStyle(figure).getPropertyValue(name).trim() || "#888";
  const rgb = (name) => {
    const text = colour(name).replace("#", "");
    const long = text.length === 3 ? [...text].map((c) => c + c).join("") : text;
    return [0, 2, 4].map((k) => parseInt(long.slice(k, k + 2), 16));
  };
  const draw = () => {
    const box = canvas.getBoundingClientRect(), ratio = Math.min(devicePixelRatio || 1, 2);
    const wide = Math.max(1, Math.round(box.width * ratio)), high = Math.max(1, Math.round(box.height * ratio));
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
    const pen = canvas.getContext("2d");
    const X = (x) => (x - left) / (right - left) * wide, Y = (y) => (top - y) / (top - bottom) * high;
    pen.fillStyle = colour("--gb-paper");
    pen.fillRect(0, 0, wide, high);
    const what = (name) => (name === "points" ? points : seen ? seen[name] : null);
    spec.layers.forEach((layer) => {
      const numbers = what(layer.of);
      if (!numbers) return;
      if (layer.kind === "field") {
        const side = Math.round(Math.sqrt(numbers.length)), image = new ImageData(side, side);
        const high_ = rgb(layer.colour), low = rgb(layer.other), paper = rgb("--gb-paper");
        numbers.forEach((share, k) => {
          const row = side - 1 - Math.floor(k / side), at = 4 * (row * side + k % side);
          const ends = share > 0.5 ? high_ : low, weight = 0.55 * Math.abs(2 * share - 1);
          for (let c = 0; c < 3; c += 1) image.data[at + c] = paper[c] + (ends[c] - paper[c]) * weight;
          image.data[at + 3] = 255;
        });
        const small = document.createElement("canvas");
        small.width = small.height = side;
        small.getContext("2d").putImageData(image, 0, 0);
        pen.imageSmoothingEnabled = true;
        pen.drawImage(small, 0, 0, wide, high);
      } else if (layer.kind === "points") {
        pen.fillStyle = colour(layer.colour);
        pen.strokeStyle = colour("--gb-paper");
        pen.lineWidth = ratio * 0.6;
        for (let k = 0; k + 1 < numbers.length; k += 2) {
          pen.beginPath();
          pen.arc(X(numbers[k]), Y(numbers[k + 1]), 2.6 * ratio, 0, 7);
          pen.fill();
          pen.stroke();
        }
      } else if (layer.kind === "arrows") {
        const from = what(layer.other);
        pen.strokeStyle = colour(layer.colour);
        pen.lineWidth = 1.1 * ratio;
        pen.beginPath();
        for (let k = 0; k + 1 < numbers.length; k += 8) {
          const long = Math.hypot(numbers[k], numbers[k + 1]), scale = 0.5 / Math.max(1, long);
          const x = from[k], y = from[k + 1], u = x + numbers[k] * scale, v = y + numbers[k + 1] * scale;
          pen.moveTo(X(x), Y(y));
          pen.lineTo(X(u), Y(v));
        }
        pen.stroke();
      }
    });
    if (document.activeElement === canvas) {
      pen.strokeStyle = colour("--gb-ink");
      pen.lineWidth = ratio;
      const [x, y] = [X(cross[0]), Y(cross[1])];
      pen.beginPath();
      pen.moveTo(x - 8 * ratio, y); pen.lineTo(x + 8 * ratio, y);
      pen.moveTo(x, y - 8 * ratio); pen.lineTo(x, y + 8 * ratio);
      pen.stroke();
    }
  };

  // The reader's data: a pointer draws; the arrow keys move a cross, and the space bar draws there.
  const add = (x, y) => {
    canvas.style.touchAction = "none";  // who draws does not scroll
    if (!mine) { mine = true; points = []; dataField.value = "yours"; }
    if (points.length >= 2 * spec.most) { readout.textContent = `${spec.most} points are enough.`; return; }
    points.push(x, y);
    draw();
  };
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [left + (event.clientX - box.left) / box.width * (right - left),
      top - (event.clientY - box.top) / box.height * (top - bottom)];
  };
  let drawing = false, last = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pause();
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    last = spot(event);
    add(...last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    const now = spot(event);
    if (Math.hypot(now[0] - last[0], now[1] - last[1]) > 0.12) { last = now; add(...now); }
  });
  const release = () => { if (drawing) { drawing = false; reset(); } };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key in moves) {
      cross = cross.map((c, k) => Math.max(-3, Math.min(3, c + 0.2 * moves[event.key][k])));
      draw();
    } else if (event.key === " " || event.key === "Enter") {
      pause();
      add(...cross);
      reset();
    } else return;
    event.preventDefault();
  });

  // The set-up in the page's address
  const mark = `machine-${spec.name}`;
  const remember = () => {
    if (!remembering) return;
    const words = [["data", mine ? "yours" : dataField.value], ["seed", seed],
      ...spec.controls.map((c) => [c.name, c.kind === "choice" ? fields[c.name].selectedIndex : fields[c.name].value])];
    if (mine) words.push(["points", points.map((x) => Math.round(50 * x)).join(",")]);
    try { history.replaceState(null, "", `#${mark}?${new URLSearchParams(words)}`); } catch { /* a frame without an address */ }
  };
  let remembering = false;
  const recall = () => {
    const [name, query] = location.hash.slice(1).split("?");
    if (name !== mark || !query) return;
    const words = new URLSearchParams(query);
    const wish = words.get("data");
    if (wish === "yours" || wish in spec.data) dataField.value = wish;
    mine = dataField.value === "yours";
    points = mine ? (words.get("points") || "").split(",").filter(Boolean).map((x) => Number(x) / 50)
      .filter(Number.isFinite).slice(0, 2 * spec.most) : spec.data[dataField.value].slice();
    if (points.length % 2) points.pop();
    seed = Math.max(0, Math.floor(Number(words.get("seed")) || 1));
    spec.controls.forEach((control) => {
      const index = Number(words.get(control.name));
      const many = (control.words || control.values).length;
      if (!Number.isInteger(index) || index < 0 || index >= many) return;
      if (control.kind === "choice") { fields[control.name].selectedIndex = index; settings[control.name] = control.words[index]; }
      else { fields[control.name].value = index; fields[control.name].dispatchEvent(new Event("input")); }
    });
  };
  points = spec.data[dataField.value].slice();
  recall();
  figure.genbookMachine = {
    settings, ask, dump: () => new Promise((done) => {
      start();
      const listen = ({ data }) => { if (data.state) { worker.removeEventListener("message", listen); done(data); } };
      worker.addEventListener("message", listen);
      send({ dump: true });
    }),
    get points() { return points; },
    get busy() { return busy; },
    get steps() { return steps; },
  };
  new ResizeObserver(() => draw()).observe(canvas);
  new MutationObserver(() => draw()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  addEventListener("pagehide", () => { if (worker) worker.terminate(); worker = null; });
  reset();
  remembering = true;
  return () => { if (worker) worker.terminate(); worker = null; };
}
