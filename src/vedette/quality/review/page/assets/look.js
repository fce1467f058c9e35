// One look at one picture: the boxes, what was said of them, and the way back. Knows nothing of the page.

export const ALL_WEAK = 2; // how far weak boxes are offered: not at all, the likely ones, all

const LIKELY = 0.2; // below there are dozens in a picture, and hardly one is anything
const ROUNDING = 1e-6; // of scores, as estimates have it
const STEPS_BACK = 200;

export class Look {
  constructor(task, threshold) {
    this.task = task;
    this.threshold = threshold;
    this.boxes = this.predicted();
    this.focus = null; // a key
    this.placing = false; // the focused box is being moved by keys
    this.offering = 0; // weak boxes: up to ALL_WEAK
    this.past = [];
    this.seconds = 0;
    // Once it is saved: the review, as which change of it and when, what it said, which classes were looked for.
    Object.assign(this, { review: null, revision: 0, at: null, state: null, sought: null, saved: null });
    this.theirs = null; // what somebody else has saved meanwhile
    this.old = false; // saved before this page was opened
  }

  predicted() {
    return this.task.predictions.map((each, of) => ({
      key: of,
      of,
      xyxy: [...each.xyxy],
      label: each.label,
      score: each.score,
      weak: each.score < this.threshold - ROUNDING,
      verdict: null, // or "accepted", "rejected"
      difficult: false,
    }));
  }

  get focused() {
    return this.boxes.find((box) => box.key === this.focus) ?? null;
  }

  shown(classes) {
    return this.boxes.filter(
      (box) => classes.includes(box.label) && (!box.weak || box.verdict !== null || this.isOffered(box)),
    );
  }

  isOffered(box) {
    return this.offering === ALL_WEAK || (this.offering > 0 && box.score >= LIKELY - ROUNDING);
  }

  // How far weak boxes are offered after the next step, and how many more these are.
  offers(classes) {
    const shown = new Set(this.shown(classes));
    const hidden = this.boxes.filter((box) => classes.includes(box.label) && !shown.has(box));
    const likely = hidden.filter((box) => box.score >= LIKELY - ROUNDING);
    if (likely.length) return { level: 1, more: likely.length };
    return hidden.length ? { level: ALL_WEAK, more: hidden.length } : { level: 0, more: 0 };
  }

  // Classes of which the model found something here.
  get emitted() {
    return this.boxes.filter((box) => !box.weak).map((box) => box.label);
  }

  // How many predictions are of classes that nobody looks for.
  others(classes) {
    return this.boxes.filter((box) => !box.weak && !classes.includes(box.label)).length;
  }

  undecided(classes) {
    return this.shown(classes).filter((box) => box.verdict === null && !box.weak);
  }

  verdict(box) {
    if (box.of === null) return "missed";
    if (box.verdict === null) return box.weak ? "offered" : "undecided";
    return box.verdict === "accepted" && this.isChanged(box) ? "corrected" : box.verdict;
  }

  isChanged(box) {
    const said = this.task.predictions[box.of];
    return box.label !== said.label || box.xyxy.some((edge, side) => edge !== said.xyxy[side]);
  }

  // ---- changes; each can be taken back

  // While a box is being set all that is done to it is one step.
  remember() {
    if (this.placing) return;
    this.past.push(JSON.stringify([this.boxes, this.focus, this.offering, this.sought]));
    if (this.past.length > STEPS_BACK) this.past.shift();
  }

  undo() {
    if (!this.past.length) return false;
    [this.boxes, this.focus, this.offering, this.sought] = JSON.parse(this.past.pop());
    this.placing = false;
    return true;
  }

  judge(box, verdict) {
    this.remember();
    if (box.of === null && verdict === "rejected") return this.remove(box);
    box.verdict = verdict;
    if (verdict === "rejected") {
      const said = this.task.predictions[box.of];
      Object.assign(box, { xyxy: [...said.xyxy], label: said.label, difficult: false });
    }
  }

  remove(box) {
    this.boxes = this.boxes.filter((each) => each.key !== box.key);
    this.focus = null;
  }

  relabel(box, label) {
    if (box.label === label && box.verdict === "accepted") return;
    this.remember();
    Object.assign(box, { label, verdict: "accepted" });
  }

  toggleDifficult(box) {
    this.remember();
    Object.assign(box, { difficult: !box.difficult, verdict: "accepted" });
  }

  reshape(box, xyxy) {
    Object.assign(box, { xyxy, verdict: "accepted" });
  }

  add(xyxy, label) {
    this.remember();
    const key = 1 + Math.max(-1, ...this.boxes.map((box) => box.key));
    this.boxes.push({ key, of: null, xyxy, label, score: null, weak: false, verdict: "accepted", difficult: false });
    this.focus = key;
    return this.focused;
  }

  acceptRest(classes) {
    const rest = this.undecided(classes);
    if (!rest.length) return 0;
    this.remember();
    for (const box of rest) box.verdict = "accepted";
    return rest.length;
  }

  // ---- the order in which boxes are gone through

  step(classes, by) {
    const shown = this.shown(classes);
    if (!shown.length) return false;
    const here = shown.findIndex((box) => box.key === this.focus);
    const next = here < 0 ? (by > 0 ? 0 : shown.length - 1) : here + by;
    if (next < 0 || next >= shown.length) return false;
    this.focus = shown[next].key;
    return true;
  }

  // The next undecided one after the focused, or the first.
  onward(classes) {
    const shown = this.shown(classes);
    const here = shown.findIndex((box) => box.key === this.focus);
    const open = (box) => box.verdict === null && !box.weak;
    const next = shown.slice(here + 1).find(open) ?? shown.find(open);
    if (next) this.focus = next.key;
    else if (!this.focused) this.focus = null;
  }

  // ---- what becomes of it

  said(classes) {
    const verdicts = this.task.predictions.map(() => null);
    const boxes = [];
    for (const box of this.shown(classes)) {
      if (box.verdict === null) continue;
      if (box.of !== null) verdicts[box.of] = this.verdict(box);
      if (box.verdict === "accepted")
        boxes.push({ xyxy: box.xyxy, label: box.label, difficult: box.difficult, of: box.of });
    }
    return { boxes, verdicts };
  }

  saying(state, classes) {
    return state === "reviewed" ? this.said(classes) : { boxes: [], verdicts: [] };
  }

  // What tells whether there is anything new to save.
  content(state, classes) {
    return JSON.stringify([state, this.saying(state, classes), classes]);
  }

  // As somebody has saved it.
  adopt(said) {
    this.boxes = this.predicted();
    for (const box of this.boxes) if (said.verdicts[box.of] === "rejected") box.verdict = "rejected";
    for (const { xyxy, label, difficult, of } of said.boxes) {
      const now = { xyxy: [...xyxy], label, difficult, verdict: "accepted" };
      if (of !== null) Object.assign(this.boxes[of], now);
      else this.boxes.push({ key: this.boxes.length, of, score: null, weak: false, ...now });
    }
    const { review, revision, at, state, seconds, reviewer, said_at: saidAt } = said;
    Object.assign(this, { review, revision, at, state, seconds, reviewer, saidAt, sought: [...said.looked_for], focus: null, placing: false });
    this.saved = this.content(state, this.sought);
  }

  draft() {
    return JSON.stringify([this.boxes, this.offering, this.seconds]);
  }

  resume(draft) {
    const [boxes, offering, seconds] = JSON.parse(draft);
    Object.assign(this, { boxes, offering: Number(offering), seconds });
  }
}
