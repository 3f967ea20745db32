// What a machine with a text needs besides: its layers, and the hand that chooses a letter.
// A letter as it is shown, and a text as places in an alphabet; −1 where the alphabet lacks one.
const shown = (letter) => ({ "\n": "↵", " ": "·" })[letter] || letter;
const spelt = (text, alphabet) => [...text.replace(/[‘’]/g, "'").replace(/[“”]/g, '"').replace(/\t/g, "    ").replace(/\r/g, "")]
  .map((letter) => alphabet.indexOf(letter));
// Where the letters stand: [place, column, row]. A row ends at the edge and after a new line; if there are more rows
// than the panel has, the last ones are shown, or those from the letter that is looked at.
const laid = (numbers, alphabet, { x: [, columns], y: [, rows] }) => {
  const spots = [];
  let column = 0, row = 0, looked = Infinity;
  for (let k = 0; numbers[3 * k] > 0; k += 1) {
    if (column === columns) { column = 0; row += 1; }
    if (numbers[3 * k + 2] >= 2) looked = row;
    spots.push([k, column, row]);
    column += 1;
    if (alphabet[numbers[3 * k] - 1] === "\n") { column = 0; row += 1; }
  }
  const hidden = Math.max(0, Math.min(looked, spots.length ? spots.at(-1)[2] + 1 - rows : 0));
  return spots.map(([k, at, line]) => [k, at, line - hidden]).filter((spot) => spot[2] >= 0 && spot[2] < rows);
};
Object.assign(layers, {
  letters(at, layer, numbers) {
    const { pen, X, Y, ratio, panel } = at, side = X(1) - X(0), tall = Y(0) - Y(1);
    pen.font = `${0.72 * tall < 1.5 * side ? 0.72 * tall : 1.5 * side}px ui-monospace, Menlo, Consolas, monospace`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    laid(numbers, at.alphabet, panel).forEach(([k, column, row]) => {
      const x = X(column), y = Y(panel.y[1] - row), letter = at.alphabet[numbers[3 * k] - 1], mark = numbers[3 * k + 2];
      pen.fillStyle = at.blend(numbers[3 * k + 1], layer);
      pen.fillRect(x, y + 0.04 * tall, side, 0.92 * tall);
      pen.fillStyle = pen.strokeStyle = at.colour("--gb-ink");
      pen.fillText(letter === " " ? "" : shown(letter), x + side / 2, y + 0.52 * tall);
      if (mark % 2) pen.fillRect(x, y + 0.9 * tall, side, 1.5 * ratio);
      pen.lineWidth = 2 * ratio;
      if (mark >= 2) pen.strokeRect(x, y + 0.06 * tall, side, 0.88 * tall);
    });
  },
  guesses(at, layer, numbers) {
    const { pen, wide, Y, ratio } = at, each = 2 * wide / numbers.length;
    pen.font = `${13 * ratio}px ui-monospace, Menlo, Consolas, monospace`;
    pen.textAlign = "center";
    for (let k = 0; 2 * k < numbers.length; k += 1) {
      const middle = (k + 0.5) * each, [letter, share] = [at.alphabet[numbers[2 * k] - 1], numbers[2 * k + 1]];
      pen.fillStyle = at.colour(layer.colour);
      pen.globalAlpha = 0.75;
      pen.fillRect(middle - 0.42 * each, Y(share), 0.84 * each, Y(0) - Y(share) || ratio);
      pen.globalAlpha = 1;
      pen.fillStyle = at.colour("--gb-ink");
      pen.textBaseline = "middle";
      pen.fillText(shown(letter), middle, (Y(0) + at.high) / 2);
      pen.textBaseline = "bottom";
      pen.fillText(`${Math.round(100 * share)}%`, middle, Y(share) - 2 * ratio);
    }
  },
});
hands.text = ({ panel, host }) => {
  const { of } = panel.layers.find((layer) => layer.kind === "letters");
  const spots = () => laid(host.what(of) || [], host.alphabet, panel);
  const here = () => spots().find(([k]) => host.what(of)[3 * k + 2] >= 2);
  const move = ([x, y]) => {
    const row = Math.floor(panel.y[1] - y), found = spots().filter((spot) => spot[2] === row);
    const hit = found.find((spot) => spot[1] === Math.floor(x)) || found.at(-1);
    if (hit) host.look(hit[0]);
  };
  return {
    looks: true,
    down: move,
    move,
    key(key, [x, y]) {
      const now = here();
      if (!now || !(x || y)) return "";
      const all = spots(), last = all.at(-1)[0];
      if (x) host.look(within(now[0] + x, [0, last]));
      else {
        const row = all.filter((spot) => spot[2] === now[2] - y);
        if (row.length) host.look((row.find((spot) => spot[1] === now[1]) || row.at(-1))[0]);
      }
      return "moved";
    },
    cross: () => { const now = here(); return now ? [now[1] + 0.5, panel.y[1] - now[2] - 0.5, 1, 1] : [0, 0, 0, 0]; },
  };
};
// The field that a text is typed in; `typed` is given places in the alphabet, how many letters it lacks, and the
// letter before the caret.
const textField = (make, id, { alphabet, most }, look, typed) => {
  const field = make("textarea", { id, rows: 4, spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
  const caret = () => (field.selectionEnd < field.value.length ? Math.max(0, field.selectionEnd - 1) : -1);
  field.addEventListener("input", () => {
    const all = spelt(field.value, alphabet), codes = all.slice(0, most);
    typed(codes.map((code) => (code < 0 ? alphabet.indexOf("?") : code)), codes.filter((code) => code < 0).length,
      all.length > most ? -1 : caret());
  });
  ["keyup", "pointerup"].forEach((kind) => field.addEventListener(kind, () => look(caret())));
  return field;
};
