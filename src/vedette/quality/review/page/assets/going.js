// Beginning, and going from picture to picture.
import { Look } from "./look.js";
import { ask, drafts, remembered, tabName } from "./talk.js";
import { WHOLE } from "./view.js";

const SETTLES_MS = 300; // a key that was meant for the picture before must not judge this one
const KEEPS = 100; // looks that stay in the page; those before are asked for again

export const going = {
  async begin() {
    this.tab = await tabName();
    this.readAddress();
    await this.learn();
    await this.more(2);
    await this.show(0);
    this.tellProgress();
  },

  async learn() {
    const start = await ask(`${this.base}/api/start`);
    Object.assign(this, { folder: start.folder, key: start.key, threshold: start.threshold, known: start.classes });
    // Who has logged in is known; else one says it, once.
    this.signed = start.known;
    this.reviewer = start.known ? start.reviewer : (remembered.get("reviewer") ?? start.reviewer);
    const before = remembered.get(`classes:${this.key}`);
    this.classes = before ?? start.suggested;
    this.chosen = before !== null || start.chosen;
  },

  // Before the first picture is judged.
  async askClasses() {
    if (this.chosen) return;
    if (!this.known.length) await this.learn();
    this.classes = [...new Set([...this.classes, ...(this.look?.emitted ?? [])])];
    if (this.panel !== "classes") await this.open("classes");
  },

  // One after the other: two that ask at once would be given the same frame.
  more(want) {
    const asked = (this.asking ?? Promise.resolve()).then(() => this.fetchMore(want));
    this.asking = asked.catch(() => {});
    return asked;
  },

  async fetchMore(want) {
    const known = this.entries.filter((look) => look.state === null).map((look) => look.task.item);
    const { tasks } = await ask(`${this.base}/api/tasks`, { tab: this.tab, known, want, chosen: this.only });
    for (const task of tasks) {
      const look = new Look(task, this.threshold);
      const draft = drafts.get(task.item);
      if (draft) look.resume(draft);
      this.entries.push(look);
    }
    return tasks.length;
  },

  // Where the next one is; asked for where there is none yet.
  async following() {
    await this.asking;
    const next = this.finished ? this.index : this.index + 1;
    if (next >= this.entries.length) await this.more(1);
    return next;
  },

  async show(index) {
    this.stopClock();
    const before = this.look;
    Object.assign(this, { index, ready: false, broken: false, armed: false, naming: false, close: false, view: WHOLE, finished: index >= this.entries.length });
    await this.$nextTick();
    this.focusStage();
    if (this.finished) return;
    const picture = this.$refs.picture;
    if (this.look === before && picture?.complete) {
      if (picture.naturalWidth) this.loaded();
      else this.broken = true;
    }
    await this.askClasses();
    if (this.look?.focus === null) this.look.onward(this.sought);
    this.preload();
  },

  async preload() {
    try {
      const next = this.entries[await this.following()];
      if (next) new Image().src = this.url(next.task);
    } catch {
      // it is asked for again when it is needed, and said then
    }
  },

  async go(by) {
    if (this.saving) return;
    if (by < 0) {
      if (this.index > 0) await this.show(this.index - 1);
      else await this.earlier();
      return;
    }
    await this.next();
  },

  async next() {
    try {
      const next = await this.following();
      await this.show(next - this.forgetOld());
    } catch (error) {
      this.say(`The next picture cannot be had: ${error.message}`, true);
    }
  },

  forgetOld() {
    let forgotten = 0;
    while (this.entries.length > KEEPS && this.index > 0 && this.entries[0].state !== null) {
      const [old] = this.entries.splice(0, 1);
      this.savedOrder = this.savedOrder.filter((look) => look !== old);
      this.index -= 1;
      forgotten += 1;
    }
    return forgotten;
  },

  loaded() {
    this.startClock();
    const look = this.look;
    setTimeout(() => { this.ready = this.look === look && !this.broken; }, SETTLES_MS);
  },

  url(task) { return `${this.base}/picture/${task.item}`; },
  focusStage() { this.$refs.stage?.focus({ preventScroll: true }); },

  async lookAgain() {
    this.tellProgress();
    if (!this.finished || this.failure) return;
    try {
      if (await this.more(2)) await this.show(this.index);
    } catch {
      // it is asked again
    }
  },

  async tellProgress() {
    try {
      this.progress = await ask(`${this.base}/api/progress`, { tab: this.tab, classes: this.classes, chosen: this.only });
    } catch {
      // figures of before stay; the next save says what is wrong
    }
  },

  // ---- what lies beside the picture; one at a time

  async open(panel) {
    this.panel = panel;
    await this.$nextTick();
    const field = { classes: this.$refs.another, filters: this.$refs.filter }[panel];
    if (field) field.focus();
    else if (panel === "past") (this.$refs.looked?.querySelector("button") ?? this.$refs.past).focus();
  },

  async toggle(panel) {
    const was = this.panel;
    if (was === "classes" && (!this.sought.length || (panel !== was && !this.chosen))) return;
    if (was === "classes") this.closeClasses();
    this.panel = "";
    if (was === panel) this.focusStage();
    else if (panel === "filters") await this.openFilters();
    else if (panel === "past") await this.openPast();
    else await this.open(panel);
  },
};
