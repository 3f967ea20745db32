// Threefry-2×32, 20 rounds, and what is drawn with it: the twin of noise.py.
const threefry = (key, stream, first, second) => {
  const keys = [key >>> 0, stream >>> 0, (key ^ stream ^ 0x1BD11BDA) >>> 0];
  const turns = [[13, 15, 26, 6], [17, 29, 16, 24]];
  let x = (first + keys[0]) | 0, y = (second + keys[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (const turn of turns[group % 2]) { x = (x + y) | 0; y = (y << turn | y >>> 32 - turn) ^ x; }
    x = (x + keys[(group + 1) % 3]) | 0;
    y = (y + keys[(group + 2) % 3] + group + 1) | 0;
  }
  return [x >>> 8, y >>> 8];
};
const pairs = (out, key, stream, step, make) => {
  for (let e = 0; e < out.length; e += 2) {
    const [one, two] = make(...threefry(key, stream, step, e / 2));
    out[e] = one;
    if (e + 1 < out.length) out[e + 1] = two;
  }
};
const WIDE = 16777216;
const uniform = (out, key, stream, step) =>
  pairs(out, key, stream, step, (one, two) => [one / WIDE, two / WIDE]);
const normal = (out, key, stream, step) => pairs(out, key, stream, step, (one, two) => {
  const radius = Math.sqrt(-2 * Math.log((one + 0.5) / WIDE)), angle = 2 * Math.PI * two / WIDE;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});
