// Candidates: one that is shown frames beside the model at work, and one that detects for some cameras.
import { cameraHref, count, DASH, Dialog, duration, may, milliseconds, percent, plain, plural, say } from "vedette-pages";
import { follow } from "./follow.js";
import { Interval } from "./interval.js";

const FEW = 6;
const HOURS = [[600, "10 minutes"], [3600, "1 hour"], [6 * 3600, "6 hours"], [86400, "1 day"], [7 * 86400, "1 week"]];
const fileOf = (path) => path.split("/").at(-1);

// What is said of a canary, a sentence each; the first begins with its name, as it is.
function lines(words) {
  const [first, ...rest] = words.split("\n");
  return [first, ...rest.map((each) => each[0].toUpperCase() + each.slice(1))];
}

export const Candidates = {
  components: { VdDialog: Dialog, AccInterval: Interval },
  props: { shadow: Object, canary: Object, words: String, models: Array },
  emits: ["changed"],
  template: `
<div class="acc-two">
  <section class="vd-panel" aria-labelledby="acc-shadow"><header><h2 id="acc-shadow">In the shadow</h2><template v-if="may('admin')"><button v-if="runs(shadow)" type="button" class="vd-button" :disabled="busy" @click="stop('shadow')">Stop</button><button v-else type="button" class="vd-button" @click="begin('shadow')">Begin…</button></template></header>
    <template v-if="shadow"><p><b>{{ file(shadow.model) }}</b> <span class="vd-dim">{{ state(shadow) }}</span></p>
      <dl class="vd-pairs vd-small"><dt>Shown</dt><dd>{{ count(shadow.in_all.frames) }} frames, {{ percent(shadow.share) }} of those analysed</dd>
        <dt>Agreement</dt><dd><acc-interval v-if="shadow.in_all.agreement !== null" :value="shadow.in_all.agreement" :lower="shadow.in_all.lower" :upper="shadow.in_all.upper"/><template v-else>neither has found anything</template></dd>
        <dt>Boxes</dt><dd>{{ count(shadow.in_all.both) }} of both, {{ count(shadow.in_all.only_running) }} only of the one at work, {{ count(shadow.in_all.only_candidate) }} only of the candidate</dd>
        <dt>Took</dt><dd>{{ milliseconds(shadow.in_all.took_ms.p50) }} in the middle, {{ milliseconds(shadow.in_all.took_ms.p99) }} or less but for 1%<template v-if="shadow.in_all.failed">; failed on {{ plural(shadow.in_all.failed, "frame") }}</template></dd></dl>
      <div v-if="rows.length" class="vd-scrolls" tabindex="0" role="group" aria-label="Agreement by camera"><table class="vd-plain"><thead><tr><th scope="col">Camera</th><th scope="col">Agreement</th><th scope="col" class="vd-num">Frames</th></tr></thead><tbody><tr v-for="[name, each] in shown" :key="name"><th scope="row"><a :href="cameraHref(name)">{{ name }}</a></th><td><acc-interval v-if="each.agreement !== null" :value="each.agreement" :lower="each.lower" :upper="each.upper"/><span v-else class="vd-dim">nothing found</span></td><td class="vd-num">{{ count(each.frames) }}</td></tr></tbody></table></div>
      <button v-if="rows.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + rows.length }}</button></template>
    <p v-else class="vd-dim">No candidate was shown frames. One in the shadow sees what the model at work sees; nothing it finds is told to anybody.</p>
  </section>
  <section class="vd-panel" aria-labelledby="acc-canary"><header><h2 id="acc-canary">As a canary</h2><template v-if="may('admin')"><button v-if="runs(canary)" type="button" class="vd-button" :disabled="busy" @click="stop('canary')">Give back</button><button v-else type="button" class="vd-button" @click="begin('canary')">Begin…</button></template></header>
    <template v-if="canary"><p><b>{{ file(canary.model) }}</b> <span class="vd-dim">{{ state(canary) }}</span></p><ul v-if="words" class="acc-words"><li v-for="line in lines(words)" :key="line">{{ line }}.</li></ul>
      <dl class="vd-pairs vd-small"><dt>Cameras</dt><dd class="acc-names"><a v-for="name in canary.cameras.slice(0, 12)" :key="name" :href="cameraHref(name)">{{ name }}</a><span v-if="canary.cameras.length > 12" class="vd-dim">and {{ canary.cameras.length - 12 }} more</span></dd></dl></template>
    <p v-else class="vd-dim">No candidate has detected for cameras. A canary takes some cameras over for a while, for real.</p>
  </section>
  <vd-dialog v-if="form" :title="form.kind === 'shadow' ? 'Show a candidate frames' : 'Let a candidate detect'" @close="form = null">
    <form class="vd-form" @submit.prevent="send">
      <div class="vd-field"><label for="acc-candidate">Model</label><select id="acc-candidate" v-model="form.upload"><option v-for="each in uploads" :key="each.name" :value="each.name">{{ each.name }}</option><option value="">a file on the node's machine…</option></select></div>
      <div v-if="!form.upload" class="vd-field"><label for="acc-candidate-file">Its path</label><input id="acc-candidate-file" v-model.trim="form.file" required placeholder="/models/yolo.onnx" autocomplete="off" spellcheck="false"></div>
      <div v-if="form.kind === 'shadow'" class="vd-field"><label for="acc-part">Share of the frames, in percent</label><input id="acc-part" v-model.number="form.percent" type="number" min="0.1" max="100" step="0.1" required></div>
      <template v-else><div class="vd-field"><label for="acc-cameras">Cameras</label><input id="acc-cameras" v-model.trim="form.cameras" required placeholder="gate, yard_*" autocomplete="off" spellcheck="false"><small>Names, with commas between them; * and ? stand for others.</small></div>
        <div class="vd-field"><label for="acc-then">Afterwards</label><select id="acc-then" v-model="form.then"><option value="back">its cameras go back</option><option value="set">it detects for all, if it did well</option></select></div>
        <label class="vd-check"><input v-model="form.force" type="checkbox">Whatever labelled pictures say of it</label>
        <p class="vd-dim">Where there are labelled pictures it is examined on them first, and before it detects for all they are asked again.</p></template>
      <div class="vd-field"><label for="acc-lasts">For</label><select id="acc-lasts" v-model.number="form.lasts"><option v-for="[seconds, name] in hours" :key="seconds" :value="seconds">{{ name }}</option></select></div>
      <p v-if="form.words" role="status"><b>{{ form.words }}</b></p><p v-if="form.wrong" class="vd-error" role="alert">{{ form.wrong }}</p>
      <footer><button type="submit" class="vd-button vd-main" :disabled="busy">{{ busy ? "It is loaded…" : "Begin" }}</button></footer>
    </form>
  </vd-dialog>
</div>`,
  data: () => ({ form: null, busy: false, all: false, few: FEW, hours: HOURS, dash: DASH }),
  computed: {
    uploads() { return this.models.filter((each) => each.kind === "model"); },
    // Where they agree least first.
    rows() { return Object.entries(this.shadow?.cameras ?? {}).sort(([, one], [, other]) => (one.agreement ?? 2) - (other.agreement ?? 2)); },
    shown() { return this.all ? this.rows : this.rows.slice(0, FEW); },
  },
  methods: {
    cameraHref, count, lines, may, milliseconds, percent, plural, file: fileOf,
    runs: (candidate) => !!candidate && candidate.state !== "ended",
    state({ state, why, detail, ran_s, left_s }) {
      const how = state === "ended" ? `ended: ${plain(why)}` : plain(state);
      return `${how}${detail ? ` (${detail})` : ""}; ran ${duration(ran_s)}${state === "ended" ? "" : `, ${duration(left_s)} left`}`;
    },
    begin(kind) { this.form = { kind, upload: this.uploads[0]?.name ?? "", file: "", percent: 10, cameras: "", then: "back", force: false, lasts: 3600, words: "", wrong: "" }; },
    async send() {
      const mine = this.form;
      const body = { ...(mine.upload ? { upload: mine.upload } : { file: mine.file }), lasts_s: mine.lasts };
      if (mine.kind === "shadow") body.share = mine.percent / 100;
      else Object.assign(body, { cameras: mine.cameras.split(/[\s,]+/).filter(Boolean), then: mine.then, force: mine.force });
      Object.assign(mine, { words: "", wrong: "" });
      this.busy = true;
      try {
        const told = await follow(`/${mine.kind}`, { method: "POST", body }, (words) => (mine.words = words));
        say(told.words || (mine.kind === "shadow" ? "The candidate is shown frames" : "The candidate detects for its cameras"));
        if (this.form === mine) this.form = null;
      } catch (error) {
        mine.wrong = error.message;
        if (this.form !== mine) say(error.message, { wrong: true });
      }
      this.busy = false;
      this.$emit("changed");
    },
    async stop(kind) {
      this.busy = true;
      try {
        await follow(`/${kind}`, { method: "DELETE" }, () => {});
        say(kind === "shadow" ? "The candidate is shown nothing more" : "The cameras are given back");
      } catch (error) {
        say(error.message, { wrong: true });
      }
      this.busy = false;
      this.$emit("changed");
    },
  },
};
