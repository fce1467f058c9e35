// How the detector did on a camera over time, as far as it is known: by what happened since the node began, and by how
// it is now. Pure.
import { plain } from "vedette-pages";

const BEGINS = { "loss suspected": "suspected", "picture changed": "changed", "conditions unseen": "unseen", "drift reset": "learning" };
const ENDS = new Set(["suspicion over", "conditions known", "drift learnt"]);
const TOLD = new Set(["loss confirmed", "loss known from before", "loss over"]);
const TONES = { suspected: "six", changed: "four", unseen: "weak", learning: "one" };

// happened: of this camera, the oldest first; drift: of the camera now, or null. → bars for Timeline.
export function drifted(happened, drift) {
  const bars = [];
  let open = null;
  for (const each of happened) {
    const stage = BEGINS[each.kind];
    if (TOLD.has(each.kind)) bars.push({ key: `t${each.number}`, start: each.at, end: each.at, tone: "blind", says: each.text });
    if (!stage && !ENDS.has(each.kind)) continue;
    if (open) open.end = each.at;
    open = stage ? { key: `d${each.number}`, stage, start: each.at, end: null, tone: TONES[stage], says: each.text } : null;
    if (open) bars.push(open);
  }
  return [...bars, ...now(open, drift)];
}

// The last of them goes on, if it is so still; a state of which no happening tells began before all of these.
function now(open, drift) {
  if (!drift) return [];
  if (open?.stage === drift.stage) {
    open.start = Math.min(open.start, drift.since ?? open.start);
    return [];
  }
  if (open) open.end = Math.max(open.start, drift.since ?? open.start);
  if (!TONES[drift.stage] || !drift.since) return [];
  return [{ key: "d", stage: drift.stage, start: drift.since, end: null, tone: TONES[drift.stage], says: [plain(drift.word), drift.why].filter(Boolean).join(": ") }];
}
