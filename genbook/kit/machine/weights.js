// Trained weights: a row of bytes times its scale; vectors as they are. `shapes` are rows and columns, or a size.
const unpack = (text, shapes) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  let at = 0;
  return shapes.map(([rows, columns]) => {
    const leaf = new Float32Array(rows * (columns ?? 1));
    if (columns === undefined) {
      for (let k = 0; k < rows; k += 1, at += 4) leaf[k] = view.getFloat32(at, true);
      return leaf;
    }
    const first = at + 4 * rows;
    for (let r = 0; r < rows; r += 1) {
      const scale = view.getFloat32(at + 4 * r, true);
      for (let k = r * columns; k < (r + 1) * columns; k += 1) leaf[k] = scale * view.getInt8(first + k);
    }
    at = first + rows * columns;
    return leaf;
  });
};
