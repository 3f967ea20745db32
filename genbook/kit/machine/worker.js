// Runs a machine's acts in order; `makes` holds one maker of a program each, `spec` says what they read.
const made = {};
let trained = {}, held = {}, targets = {}, settings = {}, data = [], at = -1, seed = 1, played = 0, steps = 0, turn = 0;
const program = (act) => {
  const key = act.programs[act.chosen ? settings[act.chosen] : ""];
  return made[key] ||= makes[key]();
};
const begin = () => {
  const before = held;
  held = {};
  let stream = 1000;
  for (const [name, group] of Object.entries(spec.groups)) {
    if (group.rows) { held[name] = unpack(trained[name], group.rows); continue; }
    if (group.lasting && before[name]) { held[name] = before[name]; stream += group.sizes.length; continue; }
    held[name] = group.sizes.map((size, k) => {
      const leaf = new Float32Array(size), bound = Math.fround(group.bounds[k]);
      uniform(leaf, seed, stream++, 0);
      return leaf.map((x) => Math.fround(Math.fround(2 * x - 1) * bound));
    });
  }
  targets = {};
  played = steps = 0;
  for (const act of spec.opening) perform(act, 0);
};
const perform = (act, moment) => {
  do once(act, moment); while (act.until && targets[act.until][0] > 0);
};
const once = (act, moment) => {
  const made = program(act);
  let place = 0;
  for (const source of act.inputs) {
    if (source in held) { for (const leaf of held[source]) made.inputs[place++].set(leaf); continue; }
    const input = made.inputs[place++], [kind, name] = source.split(":");
    if (kind === "control") input[0] = settings[name];
    else if (kind === "normal") normal(input, seed, Number(name), moment);
    else if (kind === "uniform") uniform(input, seed, Number(name), moment);
    else if (kind === "count") input[0] = data.length / spec.item;
    else if (kind === "at") input[0] = at;
    else { input.fill(0); input.set(data); }
  }
  made.run();
  place = 0;
  for (const target of act.outputs) {
    if (target in held) for (const leaf of held[target]) leaf.set(made.outputs[place++]);
    else targets[target] = made.outputs[place++].slice();
  }
};
const broken = () => {
  for (const [name, value] of Object.entries(targets))
    if (value.length === 1 ? !Number.isFinite(value[0]) : value.some(Number.isNaN)) return name.replace(/_/g, " ");
  return "";
};
onmessage = ({ data: asked }) => {
  if (asked.packed) trained = asked.packed;
  if (asked.settings) settings = asked.settings;
  if (asked.data) data = asked.data;
  if (asked.at !== undefined) at = asked.at;
  if (asked.reset) { turn = asked.turn; seed = asked.seed; begin(); return; }
  if (asked.dump) { postMessage({ state: held, targets, steps, played }); return; }
  if (asked.run === undefined) return;
  const from = performance.now();
  for (let k = 0; k < asked.run && !broken(); k += 1) {
    steps += 1;
    for (const act of spec.acts)
      for (let turn = act.times ? settings[act.times] : 1; turn > 0; turn -= 1) perform(act, ++played);
  }
  const took = performance.now() - from;
  if (!broken()) for (const act of spec.views) perform(act, 0);
  postMessage({ turn, steps, took, count: asked.run, broken: broken(), seen: targets });
};
