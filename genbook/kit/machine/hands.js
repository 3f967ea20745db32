// How a reader makes data. A hand is given spots of its panel; `host.data()` are the reader's own numbers.
const within = (x, [low, high]) => Math.min(high, Math.max(low, x));
const across = ([low, high], share) => low + (high - low) * share;

const hands = {
  points({ hand, panel, host }) {
    let last = null, cross = [across(panel.x, 0.5), across(panel.y, 0.5)];
    const add = (spot) => { if (host.room(2)) { host.own([]).push(...spot); host.changed(); } };
    return {
      down(spot) { last = spot; add(spot); },
      move(spot) {
        const far = 0.02 * (panel.x[1] - panel.x[0]);
        if (Math.hypot(spot[0] - last[0], spot[1] - last[1]) > far) { last = spot; add(spot); }
      },
      key(key, [x, y]) {
        if (x || y) cross = [within(cross[0] + x * (panel.x[1] - panel.x[0]) / 30, panel.x),
          within(cross[1] + y * (panel.y[1] - panel.y[0]) / 30, panel.y)];
        else if (key === " " || key === "Enter") { add(cross); return "done"; }
        else return "";
        return "moved";
      },
      cross: () => [...cross, 0, 0],
    };
  },
  place({ hand, panel, host }) {
    const here = () => host.data().slice(hand.first, hand.first + 2);
    const put = ([x, y]) => {
      const mine = host.own();
      mine[hand.first] = within(x, panel.x);
      mine[hand.first + 1] = within(y, panel.y);
      host.changed();
    };
    return {
      down: put,
      move: put,
      key(key, [x, y]) {
        if (!x && !y) return "";
        const [u, v] = here();
        put([u + x * (panel.x[1] - panel.x[0]) / 40, v + y * (panel.y[1] - panel.y[0]) / 40]);
        return "done";
      },
      cross: () => [...here(), 0, 0],
    };
  },
  bars({ hand, panel, host }) {
    let bar = 0, last = null;
    const knots = hand.kind === "curve", wide = (panel.x[1] - panel.x[0]) / (hand.many - knots);
    const which = (x) => within(Math.floor((x - panel.x[0]) / wide + knots / 2), [0, hand.many - 1]);
    const set = (k, y) => { host.own()[hand.first + k] = within(y, panel.y); };
    const stroke = (spot) => {
      const to = which(spot[0]), from = last ? which(last[0]) : to, way = Math.sign(to - from) || 1;
      for (let k = from; k !== to + way; k += way)
        set(k, to === from ? spot[1] : last[1] + (spot[1] - last[1]) * (k - from) / (to - from));
      last = spot;
      bar = to;
      host.changed();
    };
    return {
      down(spot) { last = null; stroke(spot); },
      move: stroke,
      key(key, [x, y]) {
        if (x) { bar = within(bar + x, [0, hand.many - 1]); return "moved"; }
        if (!y) return "";
        set(bar, host.data()[hand.first + bar] + y * (panel.y[1] - panel.y[0]) / 20);
        host.changed();
        return "done";
      },
      cross: () => [panel.x[0] + (bar + (1 - knots) / 2) * wide, across(panel.y, 0.5), wide, panel.y[1] - panel.y[0]],
    };
  },
  paint({ hand, panel, host }) {
    const columns = hand.columns, rows = hand.many / columns;
    const wide = (panel.x[1] - panel.x[0]) / columns, high = (panel.y[1] - panel.y[0]) / rows;
    let last = null, pixel = [Math.floor(columns / 2), Math.floor(rows / 2)];
    const where = ([x, y]) => [(x - panel.x[0]) / wide - 0.5, (panel.y[1] - y) / high - 0.5];
    const brush = columns / 20;
    const dab = (spot, rub) => {
      const mine = host.own(), [u, v] = where(spot);
      for (let row = Math.max(0, Math.floor(v - brush - 1)); row <= Math.min(rows - 1, v + brush + 1); row += 1)
        for (let column = Math.max(0, Math.floor(u - brush - 1)); column <= Math.min(columns - 1, u + brush + 1); column += 1) {
          const k = hand.first + row * columns + column;
          const dark = within(brush + 0.5 - Math.hypot(column - u, row - v), [0, 1]);
          mine[k] = rub ? Math.min(mine[k], 1 - dark) : Math.max(mine[k], dark);
        }
    };
    const stroke = (spot, rub) => {
      const from = last || spot, far = Math.hypot((spot[0] - from[0]) / wide, (spot[1] - from[1]) / high);
      const parts = Math.max(1, Math.ceil(2 * far));
      for (let k = 1; k <= parts; k += 1) dab(from.map((c, i) => c + (spot[i] - c) * k / parts), rub);
      last = spot;
      host.changed();
    };
    return {
      down(spot, rub) { last = null; stroke(spot, rub); },
      move: stroke,
      key(key, [x, y]) {
        if (x || y) { pixel = [within(pixel[0] + x, [0, columns - 1]), within(pixel[1] - y, [0, rows - 1])]; return "moved"; }
        if (![" ", "Enter", "Backspace", "Delete"].includes(key)) return "";
        host.own()[hand.first + pixel[1] * columns + pixel[0]] = key === " " || key === "Enter" ? 1 : 0;
        host.changed();
        return "done";
      },
      cross: () => [panel.x[0] + (pixel[0] + 0.5) * wide, panel.y[1] - (pixel[1] + 0.5) * high, wide, high],
    };
  },
};
hands.curve = hands.bars;
