// A camera's timeline as lanes. Pure.
import { list, plain } from "vedette-pages";
import { drifted } from "./drifted.js";

const PAUSES = new Set(["paused"]);

// said: the answer of /cameras/NAME/timeline; happened: happenings of it; drift: of the camera now, or null. → lanes for
// Timeline.
export function lanes(said, happened, drift) {
  const bar = (gap, tone) => ({ key: gap.id, start: gap.start, end: gap.end, tone, says: words(gap) });
  const rungs = said.degraded.filter((gap) => gap.cause === "thinned");
  return [
    { name: "Seen", base: "none", bars: [...said.watched.map((each) => ({ key: `w${each.start}`, start: each.start, end: each.end, tone: "seen", says: `watched by ${each.node}` })), ...said.blind.map((gap) => bar(gap, PAUSES.has(gap.cause) ? "rest" : "blind"))] },
    { name: "Degraded", bars: said.degraded.filter((gap) => gap.cause !== "thinned").map((gap) => bar(gap, "weak")) },
    { name: "Thinned", bars: rungs.map((gap) => bar(gap, "four")) },
    { name: "Events", bars: said.events.map((gap) => ({ ...bar(gap, "two"), end: gap.start })) },
    { name: "Epochs", bars: said.epochs.map((each) => ({ key: `e${each.epoch}`, start: each.at, end: each.at, tone: "one", says: `epoch ${each.epoch} begins: tracks begin anew` })) },
    { name: "Drift", bars: drifted(happened, drift) },
  ];
}

function words(gap) {
  const missed = gap.frames_missed ? `${gap.frames_missed} frames missed` : "";
  const cut = gap.tracks_cut ? `${gap.tracks_cut} tracks cut` : "";
  return list([`${gap.words || plain(gap.cause)} (${plain(gap.blame)})`, gap.detail, missed, cut].filter(Boolean)).replaceAll(" and ", ", ");
}
