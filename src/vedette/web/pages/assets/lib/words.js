// How a camera is: by a word, a shape and a colour, each of them enough.
import { plain } from "./format.js";

export const HEALTH = {
  blind: { word: "not seen", rank: 0, tone: "bad" },
  degraded: { word: "degraded", rank: 1, tone: "poor" },
  starting: { word: "starting", rank: 2, tone: "soon" },
  seen: { word: "seen", rank: 3, tone: "good" },
  paused: { word: "paused", rank: 4, tone: "off" },
  finished: { word: "finished", rank: 5, tone: "off" },
  removed: { word: "removed", rank: 6, tone: "off" },
};

const OTHER = { word: "unknown", rank: 2, tone: "off" };
export const healthOf = (name) => HEALTH[name] ?? OTHER;

const SHAPES = {
  blind: "M8 1 15 8 8 15 1 8Z M5.4 5.4 10.6 10.6 M10.6 5.4 5.4 10.6",
  degraded: "M8 1.5 15 14H1Z M8 6v4 M8 12v.2",
  starting: "M8 2a6 6 0 1 1-6 6",
  seen: "M8 2a6 6 0 1 0 .01 0Z M5.2 8.2l2 2 3.6-4",
  paused: "M8 2a6 6 0 1 0 .01 0Z M6.5 6v4 M9.5 6v4",
  finished: "M3 3h10v10H3Z",
  removed: "M3 8h10",
};

// <vd-health health="blind" quiet />: `quiet` leaves the word to others.
export const Health = {
  props: { health: String, quiet: Boolean },
  template: `<span class="vd-health" :class="'vd-' + tone"><svg viewBox="0 0 16 16" aria-hidden="true"><path :d="shape"/></svg><span :class="{ 'vd-unseen': quiet }">{{ word }}</span></span>`,
  computed: {
    tone() { return healthOf(this.health).tone; },
    word() { return healthOf(this.health).word; },
    shape() { return SHAPES[this.health] ?? SHAPES.removed; },
  },
};

// Why it is so, as the node says it; else by the cause.
export const whyOf = (camera) => camera.why || plain(camera.cause) || "";
