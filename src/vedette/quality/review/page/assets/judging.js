// What is said of boxes.
import { ask, drafts } from "./talk.js";
import { ALL_WEAK } from "./look.js";
import { grown, middle, moved } from "./shape.js";

export const judging = {
  changed() {
    this.message = { text: "", error: false };
    // A saved one has none: the same picture may come again, and is then looked at afresh.
    if (this.look?.state === null) drafts.set(this.look.task.item, this.look.draft());
  },

  choose(box) {
    this.look.focus = box.key;
    this.focusStage();
  },

  judge(verdict) {
    const box = this.focused;
    if (!box || this.broken) return;
    this.armed = this.look.placing = false;
    this.look.judge(box, verdict);
    this.look.onward(this.sought);
    this.changed();
  },

  relabel(label) {
    if (!this.focused) return this.say("Choose a box first.");
    this.look.relabel(this.focused, label);
    this.lastLabel = label;
    this.changed();
  },

  difficult() {
    if (!this.focused) return this.say("Choose a box first. Shift D says that the whole picture is too difficult.");
    this.look.toggleDifficult(this.focused);
    this.changed();
  },

  // Step by step: those that are likely, then all, then none.
  offerWeak(all) {
    const { offering } = this.look;
    this.look.offering = all ? (offering === ALL_WEAK ? 0 : ALL_WEAK) : this.offers.level;
    if (!this.focused) this.look.focus = null;
    this.changed();
  },

  draw() {
    if (!this.look || this.broken || !this.chosen) return;
    if (this.look.placing) this.set();
    const label = this.sought.includes(this.lastLabel) ? this.lastLabel : this.sought[0];
    this.look.add(middle(this.look.task), label);
    this.look.placing = this.armed = true;
    this.changed();
  },

  edit() {
    if (!this.focused) return this.say("Choose a box first.");
    this.look.remember();
    this.look.placing = true;
  },

  set() {
    this.armed = this.look.placing = false;
    this.changed();
  },

  giveUp() {
    this.look.undo();
    this.armed = this.look.placing = false;
    this.changed();
  },

  nudge(event) {
    const by = event.ctrlKey ? 1 : Math.max(1, Math.round(this.look.task.width / 100));
    const [dx, dy] = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
    const change = event.shiftKey ? grown : moved;
    this.look.reshape(this.focused, change(this.focused.xyxy, dx, dy, this.look.task));
    this.armed = false;
    this.changed();
  },

  async undo() {
    if (this.saving) return;
    if (this.look && !this.finished) {
      const past = this.look.undo();
      this.armed = false;
      if (past) return this.changed();
    }
    const saved = this.look?.state && !this.finished ? this.look : this.savedOrder.at(-1);
    if (!saved) return this.say("There is nothing to undo.");
    if (saved.old) return this.say("Saved long ago: correct it, and Space saves that.");
    await this.takeBack(saved);
  },

  async takeBack(look) {
    this.saving = true;
    try {
      if (look.review !== null)
        await ask(`${this.base}/api/withdraw`, { tab: this.tab, item: look.task.item, review: look.review, revision: look.revision });
      Object.assign(look, { review: null, state: null, saved: null, at: null, sought: null });
      drafts.set(look.task.item, look.draft());
      this.savedOrder = this.savedOrder.filter((each) => each !== look);
      this.done -= 1;
      await this.show(this.entries.indexOf(look));
      this.say("Taken back; it is not saved any more.");
      this.tellProgress();
    } catch (error) {
      this.say(`Not taken back: ${error.message}`, true);
    } finally {
      this.saving = false;
    }
  },
};
