// What is seen of the picture: `by` times as large, from `x`, `y` on; all in widths and heights of the stage.

const CLOSEST = 8;
const CLOSE = 0.4; // of the picture's side, for a box one looks at closely

export const WHOLE = Object.freeze({ by: 1, x: 0, y: 0 });

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const kept = ({ by, x, y }) => ({ by, x: clamp(x, 0, by - 1), y: clamp(y, 0, by - 1) });

// What lies at a place of the stage stays there.
export function zoomed(view, factor, at = { x: 0.5, y: 0.5 }) {
  const by = clamp(view.by * factor, 1, CLOSEST);
  const grows = by / view.by;
  return kept({ by, x: (view.x + at.x) * grows - at.x, y: (view.y + at.y) * grows - at.y });
}

export const panned = ({ by, x, y }, dx, dy) => kept({ by, x: x + dx, y: y + dy });

export function closeTo([left, top, right, bottom], { width, height }) {
  const [x0, y0, x1, y1] = [left / width, top / height, right / width, bottom / height];
  const by = clamp(CLOSE / Math.max(x1 - x0, y1 - y0, 0.01), 1, CLOSEST);
  return kept({ by, x: ((x0 + x1) / 2) * by - 0.5, y: ((y0 + y1) / 2) * by - 0.5 });
}
