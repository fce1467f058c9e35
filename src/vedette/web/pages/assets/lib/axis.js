// Where the lines of an axis stand, of numbers and of time.

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

// Round numbers from 0 to at least `most`: [0, 50, 100].
export function ticks(most, wanted = 3) {
  if (!(most > 0)) return [0, 1];
  const rough = most / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= rough) * power;
  const found = [];
  for (let at = 0; at < most + step * 0.999; at += step) found.push(Number(at.toPrecision(6)));
  return found;
}

// Round moments on the clocks here: [{ at, text }].
export function moments(from, to, wanted = 6) {
  const step = STEPS_S.find((each) => (to - from) / each <= wanted) ?? 604800;
  const offset = new Date(from * 1000).getTimezoneOffset() * 60;
  const found = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) found.push({ at, text: said(at, step) });
  return found;
}

function said(at, step) {
  const when = new Date(at * 1000);
  const midnight = when.getHours() === 0 && when.getMinutes() === 0;
  if (step >= 86400 || (midnight && step >= 600)) return when.toLocaleDateString([], { day: "numeric", month: "short" });
  return when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...(step < 60 && { second: "2-digit" }), hour12: false });
}
