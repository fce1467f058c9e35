// A stretch of time as a strip: what was seen and what was not, in one element.
//
// <vd-strip :spans="[{ start, end, tone }]" :from="…" :to="…" base="seen" label="99.2% seen in the last 24 hours"/>
// Times in Unix seconds. Tones are custom properties of the theme: seen, blind, weak, rest, none. Later spans lie over
// earlier ones. However short one is, it is wide enough to be seen.

const LEAST = 0.004; // of the width

export function stops(spans, from, to, base = "seen") {
  const length = to - from || 1;
  const cells = [];
  for (const { start, end, tone } of spans) {
    let left = (Math.max(start, from) - from) / length, right = (Math.min(end ?? to, to) - from) / length;
    if (right < 0 || left > 1 || right < left) continue;
    if (right - left < LEAST) {
      const middle = Math.min(1 - LEAST / 2, Math.max(LEAST / 2, (left + right) / 2));
      [left, right] = [middle - LEAST / 2, middle + LEAST / 2];
    }
    cells.push({ left, right, tone });
  }
  // Each stretch between two edges has the tone of the last span over it.
  const edges = [...new Set([0, 1, ...cells.flatMap((cell) => [cell.left, cell.right])])].sort((one, other) => one - other);
  const found = [];
  for (let at = 0; at + 1 < edges.length; at++) {
    const middle = (edges[at] + edges[at + 1]) / 2;
    const tone = cells.findLast((cell) => cell.left <= middle && middle < cell.right)?.tone ?? base;
    if (found.at(-1)?.tone === tone) found.at(-1).right = edges[at + 1];
    else found.push({ tone, left: edges[at], right: edges[at + 1] });
  }
  return found;
}

export function gradient(spans, from, to, base) {
  const percent = (share) => `${(share * 100).toFixed(3)}%`;
  return `linear-gradient(90deg, ${stops(spans, from, to, base).map(({ tone, left, right }) => `var(--${tone}) ${percent(left)} ${percent(right)}`).join(", ")})`;
}

export const Strip = {
  props: { spans: { type: Array, default: () => [] }, from: Number, to: Number, base: { type: String, default: "seen" }, label: String },
  template: `<span class="vd-strip" role="img" :aria-label="label" :title="label" :style="{ backgroundImage: image }"></span>`,
  computed: {
    image() { return gradient(this.spans, this.from, this.to, this.base); },
  },
};
