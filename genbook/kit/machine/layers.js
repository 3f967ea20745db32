// What a machine draws. `at` holds the pen, the panel's size in pixels, its scales and the book's colours.
const layers = {
  points(at, layer, numbers) {
    const { pen, X, Y, ratio } = at;
    pen.fillStyle = at.colour(layer.colour);
    pen.strokeStyle = at.colour("--gb-paper");
    pen.lineWidth = ratio * 0.6;
    for (let k = 0; k + 1 < numbers.length; k += 2) {
      pen.beginPath();
      pen.arc(X(numbers[k]), Y(numbers[k + 1]), (numbers.length > 4 ? 2.6 : 5) * ratio, 0, 7);
      pen.fill();
      pen.stroke();
    }
  },
  path(at, layer, numbers) {
    const { pen, X, Y, ratio } = at;
    pen.strokeStyle = at.colour(layer.colour);
    pen.lineWidth = 1.6 * ratio;
    pen.beginPath();
    for (let k = 0; k + 1 < numbers.length; k += 2) pen.lineTo(X(numbers[k]), Y(numbers[k + 1]));
    pen.stroke();
  },
  arrows(at, layer, numbers) {
    const { pen, X, Y, ratio } = at, from = at.what(layer.other);
    pen.strokeStyle = at.colour(layer.colour);
    pen.lineWidth = 1.1 * ratio;
    pen.beginPath();
    for (let k = 0; k + 1 < numbers.length; k += 8) {
      const long = Math.hypot(numbers[k], numbers[k + 1]), scale = 0.8 / Math.max(1, long);
      const x = from[k], y = from[k + 1];
      pen.moveTo(X(x), Y(y));
      pen.lineTo(X(x + numbers[k] * scale), Y(y + numbers[k + 1] * scale));
    }
    pen.stroke();
  },
  field(at, layer, numbers) {
    const side = Math.round(Math.sqrt(numbers.length));
    const high = at.rgb(layer.colour), low = at.rgb(layer.other), paper = at.rgb("--gb-paper");
    at.pixels(side, side, true, (column, row) => {
      const share = numbers[(side - 1 - row) * side + column], ends = share > 0.5 ? high : low;
      const weight = 0.55 * Math.abs(2 * share - 1);
      return paper.map((c, k) => c + (ends[k] - c) * weight);
    });
  },
  image(at, layer, numbers) {
    const columns = Number(layer.other), rows = numbers.length / columns;
    const ink = at.rgb(layer.colour), paper = at.rgb("--gb-paper");
    at.pixels(columns, rows, false, (column, row) => {
      const share = Math.min(1, Math.max(0, numbers[row * columns + column]));
      return paper.map((c, k) => c + (ink[k] - c) * share);
    });
  },
  line(at, layer, numbers) {
    const { pen, wide, Y, ratio } = at;
    pen.strokeStyle = at.colour(layer.colour);
    pen.lineWidth = 2 * ratio;
    pen.beginPath();
    numbers.forEach((y, k) => pen.lineTo(k / (numbers.length - 1) * wide, Y(y)));
    pen.stroke();
  },
  bars(at, layer, numbers) {
    const { pen, wide, Y, ratio } = at, each = wide / numbers.length;
    pen.fillStyle = at.colour(layer.colour);
    pen.globalAlpha = 0.75;
    numbers.forEach((y, k) => pen.fillRect((k + 0.08) * each, Math.min(Y(y), Y(0)), 0.84 * each, Math.abs(Y(0) - Y(y)) || ratio));
    pen.globalAlpha = 1;
  },
  shades(at, layer, numbers) {
    const each = at.wide / numbers.length;
    numbers.forEach((share, k) => {
      at.pen.fillStyle = at.blend(share, layer);
      at.pen.fillRect(k * each, 0, each, at.high);
    });
  },
};

function drawPanel(canvas, panel, figure, what, alphabet) {
  const box = canvas.getBoundingClientRect(), ratio = Math.min(devicePixelRatio || 1, 2);
  const wide = Math.max(1, Math.round(box.width * ratio)), high = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
  const pen = canvas.getContext("2d"), [left, right] = panel.x, [bottom, top] = panel.y;
  const colour = (name) => getComputedStyle(figure).getPropertyValue(name).trim() || "#888";
  const at = {
    pen, wide, high, ratio, colour, what, panel, alphabet,
    blend(share, layer) {  // from the paper to an end
      const end = at.rgb(share > 0 ? layer.colour : layer.other), paper = at.rgb("--gb-paper");
      return `rgb(${paper.map((c, k) => c + (end[k] - c) * 0.55 * Math.min(1, Math.abs(share))).join(",")})`;
    },
    X: (x) => (x - left) / (right - left) * wide,
    Y: (y) => (top - y) / (top - bottom) * high,
    rgb(name) {
      const text = colour(name).replace("#", "");
      const long = text.length === 3 ? [...text].map((c) => c + c).join("") : text;
      return [0, 2, 4].map((k) => parseInt(long.slice(k, k + 2), 16));
    },
    pixels(columns, rows, smooth, shade) {
      const image = new ImageData(columns, rows), small = document.createElement("canvas");
      for (let k = 0; k < columns * rows; k += 1) image.data.set([...shade(k % columns, Math.floor(k / columns)), 255], 4 * k);
      small.width = columns;
      small.height = rows;
      small.getContext("2d").putImageData(image, 0, 0);
      pen.imageSmoothingEnabled = smooth;
      pen.drawImage(small, 0, 0, wide, high);
    },
  };
  pen.fillStyle = colour("--gb-paper");
  pen.fillRect(0, 0, wide, high);
  for (const layer of panel.layers) {
    const numbers = what(layer.of);
    if (!numbers) continue;
    layers[layer.kind](at, layer, layer.first || layer.many
      ? numbers.slice(layer.first, layer.many ? layer.first + layer.many : undefined) : numbers);
  }
  return at;
}
