// The first sentence: is anything wrong, since when, why, and what is being done. Pure.
import { duration, plural } from "vedette-pages";

const SEVERE = { error: 0, warning: 1, info: 2 };

// → { tone, sentence, more }. `now`: Unix seconds.
export function headline(status, now) {
  const { total = 0, blind = 0, degraded = 0, starting = 0, paused = 0 } = status.cameras;
  if (!total) return { tone: "off", sentence: "No cameras yet", more: "Add one, and it is watched from then on." };
  const others = status.problems.filter((each) => !["blind", "incident", "degraded"].includes(each.kind) && each.severity !== "info");
  if (blind) return { tone: "bad", sentence: `${some(blind, total)} not seen`, more: longest(status.problems, now) };
  if (others.some((each) => each.severity === "error")) return { tone: "bad", sentence: others[0].what, more: told(others[0], now) };
  if (degraded) return { tone: "poor", sentence: `${some(degraded, total)} seen badly`, more: longest(status.problems, now, "degraded") };
  if (others.length) return { tone: "poor", sentence: others[0].what, more: told(others[0], now) };
  const seen = total - starting - paused - (status.cameras.finished ?? 0);
  if (!seen) return starting ? { tone: "soon", sentence: `${plural(starting, "camera")} starting`, more: "The first pictures are waited for." } : { tone: "off", sentence: "No camera is watched now", more: `${plural(paused, "camera")} paused.` };
  const rest = [starting && `${starting} starting`, paused && `${paused} paused`].filter(Boolean).join(", ");
  return { tone: "good", sentence: seen === 1 ? "The camera is seen" : `All ${seen} cameras are seen`, more: rest ? `${rest[0].toUpperCase()}${rest.slice(1)}.` : "Nothing is wrong." };
}

const some = (many, total) => (many === total ? (total === 1 ? "The camera is" : `All ${total} cameras are`) : `${many} of ${plural(total, "camera")} ${many === 1 ? "is" : "are"}`);

function longest(problems, now, kind = null) {
  const those = problems.filter((each) => (kind ? each.kind === kind : each.kind === "blind" || each.kind === "incident"));
  const known = those.filter((each) => each.since);
  const first = known.length ? known.reduce((one, other) => (other.since < one.since ? other : one)) : those[0];
  if (!first) return "";
  const whom = first.camera ?? (first.cameras?.length ? plural(first.cameras.length, "camera") : "");
  const many = those.length > 1 || first.cameras?.length > 1;
  const since = first.since ? `${many ? "The longest for" : "For"} ${duration(now - first.since)}` : "";
  return sentence([[since, whom].filter(Boolean).join(": "), withoutBlame(first.why) || first.what].filter(Boolean).join(", "), first.doing);
}

const told = (problem, now) => sentence([problem.since && `For ${duration(now - problem.since)}`, problem.why].filter(Boolean).join(": "), problem.doing);
const sentence = (...said) => said.filter(Boolean).map((each) => `${each}${/[.!?]$/.test(each) ? "" : "."}`).join(" ").replace(/\. ([a-z])/g, (_, letter) => `. ${letter.toUpperCase()}`);

export const withoutBlame = (why) => (why ?? "").replace(/ \(whose doing: .*\)$/, "");
export const worst = (problems) => [...problems].sort((one, other) => SEVERE[one.severity] - SEVERE[other.severity]);
