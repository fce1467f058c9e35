// The desk: a picture, its boxes, and keys. What is said stays here until it is saved.
import { ask, at, between, CORNERS, drafts, grown, Look, middle, moved, opposite, remembered, tabName, tooSmall } from "vedette-review";

const SETTLES_MS = 300; // a key that was meant for the picture before must not judge this one
const STARTS_TO_DRAG_PX = 4; // of the screen; less was a click that shook
const CORNER_STARTS_PX = 1; // nobody clicks on a corner but to drag it, and small boxes are off by little
const ASKS_AGAIN_MS = 60_000;
const KEEPS = 100; // looks that one can go back to

const WHOLE = { by: 1, x: 0, y: 0 };
const CLOSE = 0.4; // of the picture's side, for a box one looks at closely
const CLOSEST = 8;

const WORDS = {
  undecided: "undecided", accepted: "accepted", rejected: "rejected", corrected: "corrected",
  missed: "missed", offered: "weak, offered",
};
const SIGNS = { undecided: "", accepted: "✓", rejected: "✗", corrected: "✎", missed: "+", offered: "" };

const HELP = [
  ["A", "accept the box, and go on to the next"],
  ["R", "reject it; an object you drew is removed"],
  ["Tab ↑ ↓", "choose a box"],
  ["M", "an object the model missed: drag it, or move the box by arrows"],
  ["E", "correct the box by arrows; or drag it, or its corners"],
  ["← → ↑ ↓", "while a box is being set: move it; with Shift its size, with Ctrl by one pixel"],
  ["Enter", "the box is set; Esc gives it up"],
  ["1 … 9", "the class of the box"],
  ["C", "the class, by its name"],
  ["D", "the box is difficult: found or not, nobody is to blame"],
  ["Shift D", "the whole picture is too difficult; saves, and goes on"],
  ["Z", "closer to the box, and back"],
  ["W", "show weak boxes, too, or hide them"],
  ["Space", "save, and go on. Boxes you said nothing of are accepted first, for you to see; Space once more saves"],
  ["S", "skip: saved as not looked at"],
  ["← →", "the picture before, the next one; nothing is saved by that"],
  ["U", "undo; at the end of that, take back what was saved last"],
  ["L", "the classes you look for"],
  ["?", "this help"],
];

const template = `
<main class="vr" :class="{ 'vr-armed': armed }">
  <header class="vr-head">
    <h1>Review <span v-if="folder">{{ folder }}</span></h1>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="toggleClasses" :aria-expanded="classesOpen" aria-controls="vr-classes">
      Looking for <b>{{ lookedFor }}</b> <kbd>L</kbd>
    </button>
    <label class="vr-name">Reviewer <input v-model.trim="reviewer" maxlength="100" @change="rememberReviewer" @keydown.enter="focusStage" @keydown.esc="focusStage" autocomplete="off" spellcheck="false"></label>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="help = !help" :aria-expanded="help" aria-controls="vr-help">Keys <kbd>?</kbd></button>
  </header>

  <section v-if="classesOpen" id="vr-classes" class="vr-panel" aria-label="Classes to look for" @keydown.esc.stop="closeClasses">
    <h2>What do you look for?</h2>
    <p>In each picture you say of <em>every</em> object of these classes where it is. What the model says of others is left out.</p>
    <div class="vr-chips">
      <button type="button" v-for="each in offered" :key="each.label" class="vr-chip" :aria-pressed="classes.includes(each.label)" @click="toggleClass(each.label)">
        {{ each.label }} <small v-if="each.boxes">{{ each.boxes }}</small>
      </button>
    </div>
    <form @submit.prevent="addClass">
      <label>Another class <input ref="another" v-model.trim="another" maxlength="100" autocomplete="off"></label>
      <button type="submit" class="vr-button" :class="{ 'vr-main': !another }" :disabled="!another && !classes.length">{{ another ? "Add" : "Look for these" }}</button>
    </form>
  </section>

  <section v-if="help" id="vr-help" class="vr-panel" aria-label="Keys">
    <h2>Keys</h2>
    <dl class="vr-keys"><div v-for="[keys, does] in helpLines" :key="keys + does"><dt><kbd v-for="key in keys.split(' ').filter((part) => part !== '…')" :key="key">{{ key }}</kbd></dt><dd>{{ does }}</dd></div></dl>
  </section>

  <div class="vr-body">
    <section class="vr-left">
      <div v-if="failure" class="vr-empty" role="alert"><h2>That does not work</h2><p>{{ failure }}</p></div>
      <div v-else-if="finished" class="vr-empty" ref="stage" tabindex="0">
        <h2>{{ entries.length ? "Nothing left to review" : "Nothing to review yet" }}</h2>
        <p v-if="passedOver">You passed over {{ passedOver }} of them: <kbd>←</kbd> goes back.</p>
        <p v-else-if="progress && progress.elsewhere">Other pages have {{ progress.elsewhere }} open.</p>
        <p v-else>New frames appear here by themselves.</p>
      </div>
      <div v-else-if="look" class="vr-stage" ref="stage" tabindex="0" role="application" :aria-label="'Picture of camera ' + look.task.camera + ', ' + shown.length + ' boxes'"
           :style="{ '--ratio': look.task.width / look.task.height, aspectRatio: look.task.width + '/' + look.task.height }"
           :data-item="look.task.item" :data-ready="ready ? '' : null"
           @pointerdown="press" @pointermove="drag" @pointerup="release" @pointercancel="release">
        <div class="vr-canvas" ref="canvas" :style="canvas">
          <img ref="picture" :key="look.task.item" :src="url(look.task)" alt="" draggable="false" @load="loaded" @error="broken = true">
          <div v-if="broken" class="vr-broken" role="alert"><p>This picture is gone from the disk, or cannot be read.</p><p><kbd>Space</kbd> goes on to the next, <kbd>S</kbd> skips it for good.</p></div>
          <svg v-else :viewBox="'0 0 ' + look.task.width + ' ' + look.task.height" preserveAspectRatio="none" aria-hidden="true">
            <g v-for="box in painted" :key="box.key" :class="['vr-box', 'vr-' + verdict(box), { 'vr-focus': box.key === look.focus, 'vr-difficult': box.difficult }]">
              <rect class="vr-halo" :x="box.xyxy[0]" :y="box.xyxy[1]" :width="box.xyxy[2] - box.xyxy[0]" :height="box.xyxy[3] - box.xyxy[1]"/>
              <rect class="vr-line" :x="box.xyxy[0]" :y="box.xyxy[1]" :width="box.xyxy[2] - box.xyxy[0]" :height="box.xyxy[3] - box.xyxy[1]"/>
            </g>
          </svg>
          <template v-if="!broken">
            <span v-for="box in painted" :key="'tag' + box.key" class="vr-tag" :class="['vr-' + verdict(box), { 'vr-focus': box.key === look.focus, 'vr-crowded': crowded && box.key !== look.focus }]" :style="place(box)" aria-hidden="true">{{ tag(box) }}</span>
            <template v-if="focused">
              <i v-for="corner in corners" :key="corner.name" class="vr-corner" :class="'vr-' + corner.name" :data-corner="corner.name" :style="cornerPlace(corner)" aria-hidden="true"></i>
            </template>
          </template>
        </div>
      </div>
      <div v-else class="vr-empty"><p>One moment…</p></div>

      <p class="vr-status" :class="{ 'vr-error': message.error }" :role="message.error ? 'alert' : 'status'">{{ message.text }} <span>{{ hint }}</span></p>
      <div class="vr-bar" role="toolbar" aria-label="What to say of the box and the picture">
        <button type="button" v-for="each in buttons" :key="each.key" class="vr-button" :class="each.look" :disabled="each.off" :aria-label="each.label" @mousedown.prevent @click="saving || each.does()"><span class="vr-sign">{{ each.sign }}</span>{{ each.name }} <kbd>{{ each.key }}</kbd></button>
      </div>
    </section>

    <aside class="vr-side">
      <section v-if="look && !finished" aria-label="This picture">
        <h2>{{ look.task.camera }}</h2>
        <p class="vr-dim">{{ when }}<template v-if="look.task.light"> · {{ look.task.light }}</template><template v-if="look.state"> · <b>saved: {{ look.state }}</b></template></p>
        <ul class="vr-list" role="listbox" aria-label="Boxes">
          <li v-for="box in shown" :key="box.key" role="option" :aria-selected="box.key === look.focus" :class="'vr-' + verdict(box)" @mousedown.prevent="choose(box)">
            <span class="vr-dot"></span><b>{{ box.label }}</b><span class="vr-score">{{ box.score === null ? "" : percent(box.score) }}</span><span class="vr-word">{{ words(box) }}</span>
          </li>
        </ul>
        <p v-if="!shown.length" class="vr-dim">The model found nothing of these classes. If that is right, <kbd>Space</kbd> says so.</p>
        <p class="vr-dim vr-more">
          <button v-if="offers || look.offering" type="button" class="vr-quiet" @mousedown.prevent @click="toggleWeak">{{ look.offering ? "Hide weak boxes" : offers + (offers === 1 ? " weak box" : " weak boxes") }} <kbd>W</kbd></button>
          <button v-if="focused" type="button" class="vr-quiet" :aria-pressed="close" @mousedown.prevent @click="close = !close">{{ close ? "Whole picture" : "Closer" }} <kbd>Z</kbd></button>
          <span v-if="others">{{ others }} of other classes left out</span>
        </p>
        <form v-if="naming" class="vr-naming" @submit.prevent="takeName">
          <label>Class <input ref="naming" v-model.trim="typed" autocomplete="off" @keydown.esc.stop="stopNaming" @blur="naming = false"></label>
          <ol><li v-for="(label, number) in matches" :key="label" :class="{ 'vr-first': !number }" @mousedown.prevent="takeName(label)">{{ label }}</li></ol>
          <p v-if="!matches.length" class="vr-dim">None of the classes you look for. <kbd>L</kbd> adds one.</p>
        </form>
        <ol v-else-if="focused" class="vr-numbers" aria-label="Classes by key">
          <li v-for="(label, number) in classes.slice(0, 9)" :key="label" :class="{ 'vr-is': focused.label === label }" @mousedown.prevent="relabel(label)"><kbd>{{ number + 1 }}</kbd> {{ label }}</li>
          <li v-if="classes.length > 9" @mousedown.prevent="startNaming"><kbd>C</kbd> others…</li>
        </ol>
      </section>
      <section class="vr-progress" aria-label="What is known by now">
        <p class="vr-counts"><b>{{ done }}</b> done<template v-if="progress"> · <b>{{ waiting }}</b> waiting · <b>{{ progress.counts.reviewed }}</b> reviewed</template></p>
        <template v-if="progress">
          <div v-for="each in progress.figures" :key="each.name" class="vr-figure">
            <h3>{{ each.name }}</h3>
            <p class="vr-said"><template v-if="each.value !== null"><b>{{ percent(each.value) }}</b> <span>{{ percent(each.lower) }} to {{ percent(each.upper) }}</span></template><span v-else>{{ each.said }}</span></p>
            <div class="vr-scale" aria-hidden="true"><i v-if="each.value !== null" class="vr-range" :style="{ left: each.lower * 100 + '%', right: 100 - each.upper * 100 + '%' }"></i><i v-if="each.value !== null" class="vr-point" :style="{ left: each.value * 100 + '%' }"></i></div>
            <p class="vr-dim">{{ each.outlook }}</p>
          </div>
          <p class="vr-dim vr-small">95% intervals, from the {{ progress.drawn }} reviewed {{ progress.drawn === 1 ? "frame" : "frames" }} of the uniform stream.</p>
        </template>
      </section>
    </aside>
  </div>
  <p class="vr-unseen" aria-live="polite">{{ spoken }}</p>
</main>`;

export default {
  template,
  props: { base: String },
  data: () => ({
    tab: "", folder: "", key: "", threshold: 0.4, known: [], reviewer: "",
    classes: [], chosen: false, classesOpen: false, another: "",
    entries: [], index: 0, finished: false, failure: "", savedOrder: [],
    ready: false, broken: false, saving: false, armed: false, help: false,
    naming: false, typed: "", message: { text: "", error: false },
    close: false, view: WHOLE, progress: null, done: 0, waiting: 0, lastLabel: null,
    helpLines: HELP, corners: CORNERS,
  }),

  computed: {
    look() { return this.entries[this.index] ?? null; },
    shown() { return this.look?.shown(this.classes) ?? []; },
    // The focused one last: on top.
    painted() { return [...this.shown].sort((a, b) => (a.key === this.look.focus) - (b.key === this.look.focus)); },
    focused() { return this.shown.find((box) => box.key === this.look.focus) ?? null; },
    canvas() {
      const { by, x, y } = this.view;
      return { width: `${by * 100}%`, height: `${by * 100}%`, left: `${-x * 100}%`, top: `${-y * 100}%` };
    },
    crowded() { return this.shown.length > 8; },
    offers() { return this.look?.offers(this.classes) ?? 0; },
    others() { return this.look?.others(this.classes) ?? 0; },
    passedOver() { return this.entries.filter((look) => look.state === null && !look.gone).length; },
    lookedFor() { return this.classes.length > 3 ? `${this.classes.slice(0, 3).join(", ")} and ${this.classes.length - 3} more` : this.classes.join(", ") || "nothing yet"; },
    offered() {
      const known = this.known.map((each) => each.label);
      return [...this.known, ...this.classes.filter((label) => !known.includes(label)).map((label) => ({ label, boxes: 0 }))];
    },
    matches() {
      const typed = this.typed.toLowerCase();
      const begins = (label) => label.toLowerCase().startsWith(typed);
      return this.classes.filter((label) => label.toLowerCase().includes(typed)).sort((a, b) => begins(b) - begins(a)).slice(0, 9);
    },
    when() { return new Date(this.look.task.captured_at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }); },
    hint() {
      if (this.finished || !this.look || this.broken) return "";
      if (!this.chosen) return "First say what you look for.";
      if (this.look.placing) return "Arrows move, Shift + arrows size, Enter sets it, Esc gives it up. Or drag.";
      const left = this.look.undecided(this.classes).length;
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
    // Not while a box is being changed: the picture would slip away below the hand.
    "look.focus"() { this.lookClosely(); },
    close() { this.lookClosely(); },
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
    // ---- beginning, and going from picture to picture

    async begin() {
      this.tab = await tabName();
      await this.learn();
      await this.more(2);
      await this.show(0);
      this.tellProgress(true);
    },

    async learn() {
      const start = await ask(`${this.base}/api/start`);
      Object.assign(this, { folder: start.folder, key: start.key, threshold: start.threshold, known: start.classes });
      this.reviewer = remembered.get("reviewer") ?? start.reviewer;
      const before = remembered.get(`classes:${this.key}`) ?? start.looked_for;
      this.classes = before ?? start.classes.map((each) => each.label);
      this.chosen = before !== null;
    },

    // Before the first picture is judged.
    async askClasses() {
      if (this.chosen) return;
      if (!this.known.length) await this.learn();
      if (!this.classesOpen) await this.toggleClasses();
    },

    // One after the other: two that ask at once would be given the same frame.
    more(want) {
      const asked = (this.asking ?? Promise.resolve()).then(() => this.fetchMore(want));
      this.asking = asked.catch(() => {});
      return asked;
    },

    async fetchMore(want) {
      const known = this.entries.filter((look) => look.state === null).map((look) => look.task.item);
      const { tasks } = await ask(`${this.base}/api/tasks`, { tab: this.tab, known, want });
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
      Object.assign(this, { index, ready: false, broken: false, armed: false, naming: false, close: false, finished: index >= this.entries.length });
      await this.$nextTick();
      this.focusStage();
      if (this.finished) return;
      const picture = this.$refs.picture;
      if (this.look === before && picture?.complete) {
        if (picture.naturalWidth) this.loaded();
        else this.broken = true;
      }
      await this.askClasses();
      if (this.look?.focus === null) this.look.onward(this.classes);
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
        else this.say("This is the first one.");
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
      this.tellProgress(true);
      if (!this.finished || this.failure) return;
      try {
        if (await this.more(2)) await this.show(this.index);
      } catch {
        // it is asked again
      }
    },

    async tellProgress(counted = false) {
      const query = new URLSearchParams([["tab", this.tab], ...this.classes.map((label) => ["classes", label])]);
      try {
        this.progress = await ask(`${this.base}/api/progress?${query}`);
        if (counted) this.waiting = this.progress.counts.waiting;
      } catch {
        // figures of before stay; the next save says what is wrong
      }
    },

    // ---- how long a look takes: only while somebody can see it

    startClock() { this.since = document.hidden ? null : performance.now(); },
    stopClock() {
      if (this.since && this.look) this.look.seconds += (performance.now() - this.since) / 1000;
      this.since = null;
    },
    clock() {
      if (document.hidden) this.stopClock();
      else if (this.look && !this.finished) this.startClock();
    },

    // ---- what is said of boxes

    changed() {
      this.message = { text: "", error: false };
      // A saved one has none: the same picture may come again, and is then looked at afresh.
      if (this.look?.state === null) drafts.set(this.look.task.item, this.look.draft());
    },

    lookClosely() {
      const box = this.close ? this.focused : null;
      if (!box) {
        this.view = WHOLE;
        return;
      }
      const { width, height } = this.look.task;
      const [left, top, right, bottom] = [box.xyxy[0] / width, box.xyxy[1] / height, box.xyxy[2] / width, box.xyxy[3] / height];
      const by = Math.min(CLOSEST, Math.max(1, CLOSE / Math.max(right - left, bottom - top, 0.01)));
      const shift = (middle) => Math.min(Math.max(middle * by - 0.5, 0), by - 1);
      this.view = { by, x: shift((left + right) / 2), y: shift((top + bottom) / 2) };
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
      this.look.onward(this.classes);
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

    toggleWeak() {
      this.look.offering = !this.look.offering;
      if (!this.focused) this.look.focus = null;
      this.changed();
    },

    draw() {
      if (!this.look || this.broken || !this.chosen) return;
      if (this.look.placing) this.set();
      const label = this.classes.includes(this.lastLabel) ? this.lastLabel : this.classes[0];
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
      await this.takeBack(saved);
    },

    async takeBack(look) {
      this.saving = true;
      try {
        if (look.review !== null)
          await ask(`${this.base}/api/withdraw`, { tab: this.tab, item: look.task.item, review: look.review });
        Object.assign(look, { review: null, state: null, saved: null });
        drafts.set(look.task.item, look.draft());
        this.savedOrder = this.savedOrder.filter((each) => each !== look);
        this.done -= 1;
        this.waiting += 1;
        await this.show(this.entries.indexOf(look));
        this.say("Taken back; it is not saved any more.");
        this.tellProgress();
      } catch (error) {
        this.say(`Not taken back: ${error.message}`, true);
      } finally {
        this.saving = false;
      }
    },

    // ---- saving: on the disk before the next picture is shown

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
        const rest = look.acceptRest(this.classes);
        if (rest) {
          this.changed();
          return this.say(`${rest === 1 ? "One box" : `${rest} boxes`} you said nothing of: accepted now. Space once more saves.`);
        }
      }
      await this.write(look, state);
    },

    async write(look, state) {
      const said = state === "reviewed" ? look.said(this.classes) : { boxes: [], verdicts: [] };
      const content = JSON.stringify([state, said, this.classes, this.reviewer]);
      if (look.saved === content) return this.next();
      this.stopClock();
      // Sent once more because no answer came: the same look, which took as long.
      if (look.sent?.content !== content) look.sent = { content, seconds: Math.round(look.seconds * 1000) / 1000 };
      this.saving = true;
      try {
        const { review, remark } = await ask(`${this.base}/api/save`, {
          tab: this.tab, item: look.task.item, changes: look.review, state, ...said,
          looked_for: this.classes, reviewer: this.reviewer, seconds: look.sent.seconds,
        });
        if (look.state === null) {
          this.done += 1;
          this.waiting = Math.max(0, this.waiting - 1);
        }
        Object.assign(look, { review, state, saved: content, past: [] });
        drafts.drop(look.task.item);
        this.savedOrder = [...this.savedOrder.filter((each) => each !== look), look];
        this.say(remark || (state === "reviewed" ? "Saved." : `Saved: ${state}.`));
        await this.next();
        this.tellProgress();
      } catch (error) {
        this.say(`Not saved: ${error.message}. Nothing is lost here; ${state === "reviewed" ? "Space" : "the same key"} tries again.`, true);
        this.startClock();
      } finally {
        this.saving = false;
      }
    },

    say(text, error = false) { this.message = { text, error }; },

    // ---- classes

    async toggleClasses() {
      if (this.classesOpen) return this.closeClasses();
      this.classesOpen = true;
      await this.$nextTick();
      this.$refs.another?.focus();
    },

    toggleClass(label) {
      this.classes = this.classes.includes(label) ? this.classes.filter((each) => each !== label) : [...this.classes, label];
    },

    addClass() {
      if (!this.another) return this.closeClasses();
      if (!this.classes.includes(this.another)) this.classes = [...this.classes, this.another];
      this.another = "";
    },

    closeClasses() {
      if (!this.classes.length) return;
      this.classesOpen = false;
      this.chosen = true;
      remembered.set(`classes:${this.key}`, this.classes);
      if (this.look && !this.finished) {
        if (!this.focused) {
          this.look.focus = null;
          this.look.onward(this.classes);
        }
      }
      this.focusStage();
      this.tellProgress();
    },

    async startNaming() {
      if (!this.focused) return this.say("Choose a box first.");
      Object.assign(this, { naming: true, typed: "" });
      await this.$nextTick();
      this.$refs.naming?.focus();
    },

    takeName(label) {
      const chosen = typeof label === "string" ? label : this.matches[0];
      if (!chosen) return;
      this.relabel(chosen);
      this.stopNaming();
    },

    stopNaming() {
      this.naming = false;
      this.focusStage();
    },

    rememberReviewer() { remembered.set("reviewer", this.reviewer); },

    // ---- keys

    pressKey(event) {
      const field = event.target.closest?.("input, textarea, select");
      if (field || event.metaKey || event.altKey || this.failure) return;
      const key = latin(event);
      if (event.key === "?") return this.take(event, () => { this.help = !this.help; });
      if (event.key === "Escape") return this.escape(event);
      if (!this.chosen && this.entries.length) return;
      if ([" ", "Enter"].includes(event.key) && event.target.closest?.("button")) return;
      if (this.look?.placing && event.key.startsWith("Arrow")) return this.take(event, () => this.nudge(event));
      if (event.ctrlKey) return;
      if (["Tab", "ArrowUp", "ArrowDown"].includes(event.key)) return this.stepBox(event);
      if (event.repeat) return event.key === " " && event.preventDefault();
      const does = this.doing(event, key);
      if (does) this.take(event, does);
    },

    doing(event, key) {
      const any = {
        " ": () => this.save("reviewed"), u: this.undo, l: this.toggleClasses,
        arrowleft: () => this.go(-1), arrowright: () => this.go(1),
      };
      if (any[key]) return any[key];
      if (!this.look || this.finished || this.saving) return null;
      if (this.broken) return key === "s" ? () => this.save("skipped") : null;
      if (/^[1-9]$/.test(key)) return this.classes[key - 1] ? () => this.relabel(this.classes[key - 1]) : null;
      return {
        a: () => this.judge("accepted"), r: () => this.judge("rejected"), delete: () => this.judge("rejected"),
        m: this.draw, e: this.edit, c: this.startNaming, w: this.toggleWeak, z: () => { this.close = !this.close; },
        d: () => (event.shiftKey ? this.save("difficult") : this.difficult()),
        s: () => this.save("skipped"), enter: () => this.look.placing && this.set(),
      }[key];
    },

    take(event, does) {
      event.preventDefault();
      does();
    },

    // Tab goes through the boxes while the picture has the focus, and on to what is on the page after the last.
    stepBox(event) {
      if (!this.look || this.finished || this.broken) return;
      const tab = event.key === "Tab";
      if (tab && document.activeElement !== this.$refs.stage) return;
      const moved = this.look.step(this.classes, event.key === "ArrowUp" || event.shiftKey ? -1 : 1);
      if (moved || !tab) event.preventDefault();
    },

    escape(event) {
      if (this.look?.placing) this.take(event, this.giveUp);
      else if (this.help) this.take(event, () => { this.help = false; });
      else if (this.classesOpen) this.take(event, this.closeClasses);
      else this.focusStage();
    },

    // ---- the mouse

    point(event) {
      const frame = this.$refs.canvas.getBoundingClientRect();
      const { width, height } = this.look.task;
      return { x: ((event.clientX - frame.left) / frame.width) * width, y: ((event.clientY - frame.top) / frame.height) * height };
    },

    press(event) {
      if (event.button !== 0 || this.broken || this.saving || !this.chosen) return;
      this.focusStage();
      const from = this.point(event);
      const corner = CORNERS.find((each) => each.name === event.target.dataset.corner);
      const box = corner || this.armed ? this.focused : at(this.shown, from);
      if (!this.armed) this.look.focus = box?.key ?? null;
      if (!box) return;
      const anchor = this.armed ? from : corner && opposite(box.xyxy, corner);
      const slack = corner && !this.armed ? CORNER_STARTS_PX : STARTS_TO_DRAG_PX;
      this.grip = { box, from, anchor, slack, x: event.clientX, y: event.clientY, start: [...box.xyxy], begun: false };
      this.$refs.stage.setPointerCapture(event.pointerId);
      event.preventDefault();
    },

    drag(event) {
      const grip = this.grip;
      if (!grip) return;
      if (!grip.begun) {
        if (Math.hypot(event.clientX - grip.x, event.clientY - grip.y) < grip.slack) return;
        grip.begun = true;
        // Setting a box is one step to be taken back, by keys or by hand.
        if (!this.look.placing) this.look.remember();
      }
      const to = this.point(event);
      const box = this.focused;
      if (!box) return;
      const xyxy = grip.anchor
        ? between(grip.anchor, to, this.look.task)
        : moved(grip.start, to.x - grip.from.x, to.y - grip.from.y, this.look.task);
      this.look.reshape(box, xyxy);
    },

    release() {
      const grip = this.grip;
      this.grip = null;
      if (!grip?.begun || !this.focused) return;
      if (tooSmall(this.focused.xyxy)) {
        this.giveUp();
        return this.say("That was too small for a box.");
      }
      this.set();
    },

    // ---- how boxes are told

    verdict(box) { return this.look.verdict(box); },
    words(box) { return WORDS[this.verdict(box)] + (box.difficult ? ", difficult" : ""); },
    percent(share) { return `${Math.round(share * 100)}%`; },
    tag(box) {
      const sign = SIGNS[this.verdict(box)];
      return [sign, box.label, box.score === null ? "" : this.percent(box.score), box.difficult ? "(difficult)" : ""].filter(Boolean).join(" ");
    },
    place(box) {
      const { width, height } = this.look.task;
      const [left, top, right, bottom] = box.xyxy;
      const inside = top / height < 0.05;
      const x = Math.min(Math.max(0, left), width);
      const y = Math.max(0, inside ? Math.max(0, top) : top);
      // Close to the right edge the tag ends where the box does.
      return right / width > 0.9 && left / width > 0.8
        ? { right: `${Math.max(0, 100 - (right / width) * 100)}%`, top: `${(y / height) * 100}%`, transform: inside ? "none" : "translateY(-100%)" }
        : { left: `${(x / width) * 100}%`, top: `${(y / height) * 100}%`, transform: inside ? "none" : "translateY(-100%)" };
    },
    cornerPlace(corner) {
      const { width, height } = this.look.task;
      return { left: `${(this.focused.xyxy[corner.x] / width) * 100}%`, top: `${(this.focused.xyxy[corner.y] / height) * 100}%` };
    },
  },
};

// Letters by their place where the keyboard writes another script.
function latin(event) {
  const other = event.key.length === 1 && event.key > "~" && event.code.startsWith("Key");
  return (other ? event.code.slice(3) : event.key).toLowerCase();
}
