// How the node is, for all pages: asked for once, whoever shows it.
import { reactive } from "vue";
import { ask, learnWhoAsks, poll, session } from "./api.js";

const SMALL = 150;

export const node = reactive({
  status: null, // the last answer of /status that came from the node
  name: "",
  away: "", // why there is none now, in words; empty while it answers
  awaySince: null, // Unix seconds
  heardAt: null, // Unix seconds: how old what is shown is
  tick: 0, // counts half seconds while somebody looks: what shows ages depends on it
  skew: 0, // seconds the node's clock is ahead of this one's
});

export const now = () => Date.now() / 1000 + node.skew;

// The same, for templates: they are drawn again as time goes on.
export const ticking = () => (node.tick, now());

// How often lists of all cameras are asked for. A thousand of them are half a megabyte.
export const pace = () => ((node.status?.cameras?.total ?? 0) > SMALL ? 5000 : 2000);

let polling = null;
const listeners = new Set();

// Calls back after each answer of the node, so that a page asks in the same moment as the shell does: the node
// makes one view for both. Returns how to stop.
export function withNode(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function watchNode() {
  if (polling) return;
  polling = poll((signal) => heard(signal), { every: pace, said: learn, refused: (error) => lost(error.message) });
  setInterval(() => { if (!document.hidden) node.tick += 1; }, 500);
}

export const askNow = () => polling?.now();

async function heard(signal) {
  const asked = Date.now();
  // At once: the one does not need the other.
  const asking = ask("/status", { signal }).then((status) => ({ status, asked, answered: Date.now() }));
  const [heard] = await Promise.all([asking, session.known || learnWhoAsks()]);
  return heard;
}

function learn({ status, asked, answered }) {
  node.name = status.node ?? node.name;
  if (status.answers === false) return lost(status.detail || "nothing is heard of it");
  if (status.at && answered - asked < 1000) keepTime(status.at, (asked + answered) / 2000);
  Object.assign(node, { status, away: "", awaySince: null, heardAt: now() });
  for (const each of listeners) each();
}

// Only what the way there and back does not explain; else every age would twitch.
function keepTime(theirs, mine) {
  const skew = theirs - mine;
  if (Math.abs(skew - node.skew) > 1) node.skew = Math.abs(skew) > 1 ? skew : 0;
}

function lost(why) {
  if (!node.away) node.awaySince = node.heardAt ?? now();
  node.away = why;
}
