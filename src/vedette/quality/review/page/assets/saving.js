// Saving: on the disk before the next picture is shown, and over nobody's work.
import { ask, drafts } from "./talk.js";

export const saving = {
  async save(state) {
    if (this.saving) return;
    if (this.finished) return this.next();
    if (!this.chosen) return;
    const look = this.look;
    if (this.broken) {
      look.gone = true;
      return state === "skipped" ? this.write(look, state) : this.next();
    }
    if (!this.ready) return;
    if (look.placing) return this.set();
    if (state === "reviewed") {
      const rest = look.acceptRest(this.sought);
      if (rest) {
        this.changed();
        return this.say(`${rest === 1 ? "One box" : `${rest} boxes`} you said nothing of: accepted now. Space once more saves.`);
      }
    }
    await this.write(look, state);
  },

  async write(look, state) {
    const sought = [...this.sought];
    const content = look.content(state, sought);
    if (look.saved === content) return this.next();
    this.stopClock();
    // Sent once more because no answer came: the same look, which took as long.
    if (look.sent?.content !== content) look.sent = { content, seconds: Math.round(look.seconds * 1000) / 1000 };
    this.saving = true;
    try {
      const changes = look.review === null ? null : [look.review, look.revision];
      const answer = await ask(`${this.base}/api/save`, {
        tab: this.tab, item: look.task.item, changes, state, ...look.saying(state, sought),
        looked_for: sought, reviewer: this.reviewer, seconds: look.sent.seconds,
      });
      if (answer.theirs) return this.hold(look, answer.theirs);
      if (look.state === null) this.done += 1;
      const { review, revision, at } = answer;
      Object.assign(look, { review, revision, at, state, sought, saved: content, theirs: null, past: [] });
      drafts.drop(look.task.item);
      if (!look.old) this.savedOrder = [...this.savedOrder.filter((each) => each !== look), look];
      this.say(answer.remark || (state === "reviewed" ? "Saved." : `Saved: ${state}.`));
      await this.next();
      this.tellProgress();
    } catch (error) {
      this.say(`Not saved: ${error.message}. Nothing is lost here; ${state === "reviewed" ? "Space" : "the same key"} tries again.`, true);
      this.startClock();
    } finally {
      this.saving = false;
    }
  },

  // Somebody else has changed this one since it was read. Nothing is written before it is clear what is to stand.
  hold(look, theirs) {
    Object.assign(look, { theirs, review: theirs.review, revision: theirs.revision, saved: null });
    const who = theirs.reviewer || "Somebody else";
    this.say(`Not saved: ${who} has changed this one meanwhile. T shows what they said; Space saves yours instead.`, true);
    this.startClock();
  },

  showTheirs() {
    const { look } = this;
    if (!look.theirs) return this.say("Nobody else has changed this one.");
    look.remember();
    look.adopt(look.theirs);
    this.say("This is what they said. U brings yours back.");
  },

  say(text, error = false) { this.message = { text, error }; },
};
