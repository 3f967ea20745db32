// What the emitted programs call. Numbers are doubles until they are stored in a Float32Array.
const tanh = (x) => {
  if (x > 9) return 1;
  if (x < -9) return -1;
  if (x < 0.02 && x > -0.02) return x * (1 - x * x / 3);
  const e = Math.exp(2 * x);
  return (e - 1) / (e + 1);
};
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x, beta, limit) => x * beta > limit ? x : Math.log1p(Math.exp(x * beta)) / beta;
const softplusBack = (g, x, beta, limit) => x * beta > limit ? g : g / (1 + Math.exp(-x * beta));
const tanhBack = (g, y) => g * (1 - y * y);
const sigmoidBack = (g, y) => g * y * (1 - y);
const leaky = (x, slope) => x > 0 ? x : x * slope;
const leakyBack = (g, x, slope) => x > 0 ? g : g * slope;
const elu = (x) => x > 0 ? x : Math.expm1(x);
// exp(x²) erf(x) as a series: all its terms have one sign, so nothing cancels.
const erf = (x) => {
  if (x > 4 || x < -4) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; n < 80; n++) { term *= 2 * x * x / (2 * n + 1); sum += term; }
  return 1.1283791670955126 * Math.exp(-x * x) * sum;
};
const clamp = (x, low, high) => x < low ? low : x > high ? high : x;

// The matrix product z = a b, a of n × k at offset ao with strides ar, ac, b of k × m likewise. Rows of a
// and columns of b are laid out one after the other first; then 2 × 4 sums run side by side.
let spareA = new Float32Array(0), spareB = new Float32Array(0);
const packed = (spare, x, o, rows, columns, r, c) => {
  for (let i = 0, e = 0; i < rows; i++) for (let j = 0, q = o + i * r; j < columns; j++, q += c) spare[e++] = x[q];
};
const mm = (z, n, k, m, a, ao, ar, ac, b, bo, br, bc) => {
  if (ac !== 1 && k > 1) {
    if (spareA.length < n * k) spareA = new Float32Array(n * k);
    packed(spareA, a, ao, n, k, ar, ac);
    a = spareA; ao = 0; ar = k;
  }
  if (br !== 1 && k > 1) {
    if (spareB.length < m * k) spareB = new Float32Array(m * k);
    packed(spareB, b, bo, m, k, bc, br);
    b = spareB; bo = 0; bc = k;
  }
  let i = 0;
  for (; i + 1 < n; i += 2) {
    const p = ao + i * ar, q = p + ar;
    let j = 0;
    for (; j + 3 < m; j += 4) {
      const r = bo + j * bc, s = r + bc, t = s + bc, u = t + bc;
      let c0 = 0, c1 = 0, c2 = 0, c3 = 0, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
      for (let e = 0; e < k; e++) {
        const x = a[p + e], y = a[q + e], b0 = b[r + e], b1 = b[s + e], b2 = b[t + e], b3 = b[u + e];
        c0 += x * b0; c1 += x * b1; c2 += x * b2; c3 += x * b3;
        d0 += y * b0; d1 += y * b1; d2 += y * b2; d3 += y * b3;
      }
      const w = i * m + j, v = w + m;
      z[w] = c0; z[w + 1] = c1; z[w + 2] = c2; z[w + 3] = c3;
      z[v] = d0; z[v + 1] = d1; z[v + 2] = d2; z[v + 3] = d3;
    }
    for (; j < m; j++) {
      const r = bo + j * bc;
      let c = 0, d = 0;
      for (let e = 0; e < k; e++) { const x = b[r + e]; c += a[p + e] * x; d += a[q + e] * x; }
      z[i * m + j] = c; z[i * m + m + j] = d;
    }
  }
  for (; i < n; i++) for (let j = 0, p = ao + i * ar; j < m; j++) {
    const r = bo + j * bc;
    let c = 0;
    for (let e = 0; e < k; e++) c += a[p + e] * b[r + e];
    z[i * m + j] = c;
  }
};

// A convolution: the pixels under each place of the kernel become a row, and the kernels times the rows a product.
// `steps` are the strides of x, `sizes` say how many images, channels, rows, …
let spareC = new Float32Array(0);
const conv = (z, x, xo, [xn, xc, xh, xw], w, wo, [n, c, h, l, o, kh, kw, oh, ow, sh, sw, ph, pw, dh, dw, groups]) => {
  const inner = c / groups, outer = o / groups, long = inner * kh * kw, places = oh * ow;
  if (spareC.length < long * places) spareC = new Float32Array(long * places);
  for (let i = 0; i < n; i++) for (let g = 0; g < groups; g++) {
    for (let r = 0, e = 0; r < oh; r++) for (let q = 0; q < ow; q++)
      for (let k = 0; k < inner; k++) for (let a = 0; a < kh; a++) {
        const row = r * sh - ph + a * dh, at = xo + i * xn + (g * inner + k) * xc + row * xh;
        for (let b = 0; b < kw; b++) {
          const column = q * sw - pw + b * dw;
          spareC[e++] = row < 0 || row >= h || column < 0 || column >= l ? 0 : x[at + column * xw];
        }
      }
    const first = (i * o + g * outer) * places;
    mm(z.subarray(first, first + outer * places), outer, long, places, w, wo + g * outer * long, long, 1, spareC, 0, 1, long);
  }
};
const top = (x, at, step, count) => {
  let best = 0;
  for (let k = 1; k < count; k++) if (x[at + k * step] > x[at + best * step] || x[at + k * step] !== x[at + k * step] && x[at + best * step] === x[at + best * step]) best = k;
  return best;
};
const sorted = (z, zo, zs, p, po, ps, x, xo, xs, count, sign) => {
  const numbers = Array.from({ length: count }, (_, k) => x[xo + k * xs]), places = numbers.map((_, k) => k);
  places.sort((i, j) => sign * (numbers[i] - numbers[j]) || i - j);
  places.forEach((from, k) => { z[zo + k * zs] = numbers[from]; p[po + k * ps] = from; });
};
