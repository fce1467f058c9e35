// The desk: a picture, its boxes, and keys. What is said stays here until it is saved.
import {
  classes, CORNERS, DIMENSIONS, filters, going, HELP, judging, keys, nothing, past, Picker, pointer, saving, telling,
  template, timing, WHOLE, zooming,
} from "vedette-review";

const ASKS_AGAIN_MS = 60_000;
const CHIPS = 12; // classes that are shown; others are found by their names

export default {
  template,
  components: { Picker },
  props: { base: String },
  data: () => ({
    tab: "", folder: "", key: "", threshold: 0.4, known: [], reviewer: "", signed: false,
    classes: [], chosen: false, only: nothing(), facets: null,
    entries: [], index: 0, finished: false, failure: "", savedOrder: [], looked: [], more_looked: false,
    ready: false, broken: false, saving: false, armed: false, panel: "",
    naming: false, typed: "", message: { text: "", error: false },
    close: false, view: WHOLE, progress: null, done: 0, lastLabel: null,
    helpLines: HELP, corners: CORNERS,
  }),

  computed: {
    look() { return this.entries[this.index] ?? null; },
    // Of a picture that was saved, what was looked for in it then.
    sought() { return this.look?.sought ?? this.classes; },
    shown() { return this.look?.shown(this.sought) ?? []; },
    // The focused one last: on top.
    painted() { return [...this.shown].sort((a, b) => (a.key === this.look.focus) - (b.key === this.look.focus)); },
    focused() { return this.shown.find((box) => box.key === this.look.focus) ?? null; },
    canvas() {
      const { by, x, y } = this.view;
      return { width: `${by * 100}%`, height: `${by * 100}%`, left: `${-x * 100}%`, top: `${-y * 100}%` };
    },
    crowded() { return this.shown.length > 8; },
    offers() { return this.look?.offers(this.sought) ?? { level: 0, more: 0 }; },
    offersWords() {
      if (!this.offers.more) return "Hide weak boxes";
      return `${this.offers.more} ${this.look.offering ? "weaker" : "weak"} ${this.offers.more === 1 ? "box" : "boxes"}`;
    },
    others() { return this.look?.others(this.sought) ?? 0; },
    passedOver() { return this.entries.filter((look) => look.state === null && !look.gone).length; },
    lookedFor() {
      const { sought } = this;
      return sought.length > 3 ? `${sought.slice(0, 3).join(", ")} and ${sought.length - 3} more` : sought.join(", ") || "nothing yet";
    },
    // Those one looks for, those the model found in this picture, and the most frequent.
    chips() { return [...new Set([...this.sought, ...(this.look?.emitted ?? []), ...this.known])].slice(0, Math.max(CHIPS, this.sought.length)); },
    classOptions() { return this.known.filter((label) => !this.sought.includes(label)).map((label) => ({ key: label, text: label })); },
    limits() { return DIMENSIONS.flatMap((by) => this.only[by].map((value) => ({ by, value, key: `${by}:${value}` }))); },
    filterOptions() {
      const free = (by) => (this.facets?.[by] ?? []).filter((value) => !this.only[by].includes(value));
      return DIMENSIONS.flatMap((by) => free(by).map((value) => ({ key: JSON.stringify([by, value]), text: value, group: by })));
    },
    matches() {
      const typed = this.typed.toLowerCase();
      const begins = (label) => label.toLowerCase().startsWith(typed);
      return this.sought.filter((label) => label.toLowerCase().includes(typed)).sort((a, b) => begins(b) - begins(a)).slice(0, 9);
    },
    when() { return this.day(this.look.task.captured_at); },
    hint() {
      if (this.finished || !this.look || this.broken) return "";
      if (!this.chosen) return "First say what you look for.";
      if (this.look.placing) return "Arrows move, Shift + arrows size, Enter sets it, Esc gives it up. Or drag.";
      const left = this.look.undecided(this.sought).length;
      return left ? `${left} undecided` : "All said. Space saves.";
    },
    spoken() {
      if (!this.focused) return "";
      const number = this.shown.indexOf(this.focused) + 1;
      const score = this.focused.score === null ? "" : ` ${this.percent(this.focused.score)}`;
      return `Box ${number} of ${this.shown.length}: ${this.focused.label}${score}, ${this.words(this.focused)}`;
    },
    buttons() {
      const none = !this.focused || this.broken;
      const off = !this.look || this.finished;
      return [
        { key: "←", sign: "", name: "", label: "The picture before", does: () => this.go(-1), off: false, look: "vr-arrow" },
        { key: "A", sign: "✓", name: "Accept", does: () => this.judge("accepted"), off: off || none, look: "vr-accept" },
        { key: "R", sign: "✗", name: "Reject", does: () => this.judge("rejected"), off: off || none, look: "vr-reject" },
        { key: "M", sign: "+", name: "Missed", does: this.draw, off: off || this.broken, look: "" },
        { key: "D", sign: "?", name: "Difficult", does: this.difficult, off: off || none, look: "" },
        { key: "U", sign: "↶", name: "Undo", does: this.undo, off: false, look: "" },
        { key: "S", sign: "⤼", name: "Skip", does: () => this.save("skipped"), off, look: "" },
        { key: "Space", sign: "", name: "Save", does: () => this.save("reviewed"), off: off && !this.finished, look: "vr-main" },
        { key: "→", sign: "", name: "", label: "The next picture, without saving", does: () => this.go(1), off: false, look: "vr-arrow" },
      ];
    },
  },

  watch: {
    "look.focus"() { this.followBox(); },
  },

  async mounted() {
    this.onKey = (event) => this.pressKey(event);
    this.onSight = () => this.clock();
    window.addEventListener("keydown", this.onKey);
    document.addEventListener("visibilitychange", this.onSight);
    this.timer = setInterval(() => this.lookAgain(), ASKS_AGAIN_MS);
    try {
      await this.begin();
    } catch (error) {
      this.failure = error.message;
    }
  },

  unmounted() {
    window.removeEventListener("keydown", this.onKey);
    document.removeEventListener("visibilitychange", this.onSight);
    clearInterval(this.timer);
  },

  methods: {
    ...going, ...past, ...filters, ...timing, ...judging, ...saving, ...classes, ...keys, ...pointer, ...zooming, ...telling,
  },
};
