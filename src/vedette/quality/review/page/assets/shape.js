// Rectangles [left, top, right, bottom] in pixels of the picture.

export const LEAST = 3; // pixels a side: smaller ones were a slip of the hand

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const tenth = (value) => Math.round(value * 10) / 10;

export function between(a, b, { width, height }) {
  const x = [clamp(a.x, 0, width), clamp(b.x, 0, width)].sort((p, q) => p - q);
  const y = [clamp(a.y, 0, height), clamp(b.y, 0, height)].sort((p, q) => p - q);
  return [x[0], y[0], x[1], y[1]].map(tenth);
}

export function moved([left, top, right, bottom], dx, dy, { width, height }) {
  // Boxes may reach out of the picture, as the model's do; they are not pushed further.
  const x = dx < 0 ? Math.max(dx, Math.min(0, -left)) : Math.min(dx, Math.max(0, width - right));
  const y = dy < 0 ? Math.max(dy, Math.min(0, -top)) : Math.min(dy, Math.max(0, height - bottom));
  return [left + x, top + y, right + x, bottom + y].map(tenth);
}

// From the right and the bottom edge; keeps a least size.
export function grown([left, top, right, bottom], dx, dy, { width, height }) {
  const wide = clamp(right + dx, left + LEAST, Math.max(width, right));
  const high = clamp(bottom + dy, top + LEAST, Math.max(height, bottom));
  return [left, top, wide, high].map(tenth);
}

export function middle({ width, height }) {
  const half = Math.round(Math.min(width, height) / 10);
  const [x, y] = [Math.round(width / 2), Math.round(height / 2)];
  return [x - half, y - half, x + half, y + half];
}

export const CORNERS = [
  { name: "nw", x: 0, y: 1 },
  { name: "ne", x: 2, y: 1 },
  { name: "sw", x: 0, y: 3 },
  { name: "se", x: 2, y: 3 },
];

// The corner that stays where it is while `corner` is dragged.
export function opposite(xyxy, corner) {
  return { x: xyxy[2 - corner.x], y: xyxy[4 - corner.y] };
}

const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
const holds = ([left, top, right, bottom], { x, y }) => x >= left && x <= right && y >= top && y <= bottom;

// The smallest box there: it would be out of reach below a larger one.
export function at(boxes, point) {
  return boxes.filter((box) => holds(box.xyxy, point)).sort((a, b) => area(a.xyxy) - area(b.xyxy))[0] ?? null;
}

export const tooSmall = ([left, top, right, bottom]) => right - left < LEAST || bottom - top < LEAST;
