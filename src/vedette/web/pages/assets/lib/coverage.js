// Coverage of the last day of all cameras, by the hour: asked for once a minute, whoever shows it.
import { markRaw, reactive } from "vue";
import { ask, poll } from "./api.js";
import { coverage } from "./format.js";
import { node } from "./node.js";
import { gradient } from "./strip.js";

const EVERY_MS = 60_000, SOON_MS = 300;
const NOT_WATCHED = -1;

// `known`: false where there is no ledger.
export const lastDay = reactive({ strips: null, known: true });

let polling = null, looking = 0;

export function watchDay() {
  looking += 1;
  polling ??= poll((signal) => look(signal), {
    every: () => (node.status ? EVERY_MS : SOON_MS),
    said(strips) { if (strips) Object.assign(lastDay, { strips: markRaw(strips), known: true }); },
    refused(error) { if (error.kind === "no-ledger") lastDay.known = false; },
  });
  return () => {
    looking -= 1;
    if (looking) return;
    polling.stop();
    polling = null;
  };
}

// A node without a ledger has none of today either.
function look(signal) {
  if (!node.status) return null;
  lastDay.known = node.status.blind_s_today !== null;
  return lastDay.known ? ask("/coverage/strips", { query: { since: "24h" }, signal }) : null;
}

// An hour in which anything was missed has the colour of that for as much of it, and never too little to be seen.
function spans(shares, edges) {
  const found = [];
  shares.forEach((share, hour) => {
    const start = edges[hour], end = edges[hour + 1];
    if (share < 0) found.push({ start, end, tone: share === NOT_WATCHED ? "none" : "rest" });
    else if (share < 1000) found.push({ start: end - (end - start) * Math.max(0.15, 1 - share / 1000), end, tone: "blind" });
  });
  return found;
}

export const shareOf = (name) => lastDay.strips?.day[name] ?? null;

// <vd-day :name="camera.name"/>
export const Day = {
  props: { name: String },
  template: `<span v-if="image" class="vd-strip" role="img" :aria-label="label" :title="label" :style="{ backgroundImage: image }"></span><span v-else class="vd-strip" aria-hidden="true"></span>`,
  computed: {
    shares() { return lastDay.strips?.shares[this.name]; },
    image() {
      const edges = lastDay.strips?.edges;
      return this.shares && gradient(spans(this.shares, edges), edges[0], edges.at(-1), "seen");
    },
    label() {
      const share = shareOf(this.name);
      return share === null ? "not watched in the last 24 hours" : `${coverage(share)} seen in the last 24 hours`;
    },
  },
};
