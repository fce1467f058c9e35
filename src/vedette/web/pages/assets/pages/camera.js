// One camera: what it sees, how it is and why, what happened to it, and what may be done.
import { markRaw } from "vue";
import {
  act, ask, brief, CameraDialog, cameraPath, Chart, clock, count, DASH, duration, exact, For, go, Health, healthOf, here, href, listen, may, milliseconds, node, now,
  onKeys, pace, PauseDialog, percent, plain, plural, poll, rate, RemoveDialog, ticking, whyOf,
} from "vedette-pages";
import { Live } from "./camera/live.js";
import { History } from "./camera/history.js";
import { CameraTimeline } from "./camera/timeline.js";

const CHARTS_S = 300;
const OUTCOMES = [["analysed", "seen"], ["superseded", "rest"], ["skipped", "none"], ["expired", "weak"], ["failed", "blind"], ["orphaned", "six"]];
const EVERY_HAPPENING_MS = 3000;

export default {
  components: { CamLive: Live, CamTimeline: CameraTimeline, VdCameraDialog: CameraDialog, VdChart: Chart, VdFor: For, VdHealth: Health, VdPause: PauseDialog, VdRemove: RemoveDialog },
  props: { name: String },
  template: `
<div v-if="gone" class="vd-empty"><h1>There is no camera {{ name }}</h1><p>It may have been removed. What the ledger knows of it stays.</p><p class="vd-row"><a class="vd-button" :href="fleet">All cameras</a><a class="vd-button" :href="gaps">Its gaps</a></p></div>
<div v-else class="vd-stack cam">
  <div class="cam-head">
    <div><p class="vd-small"><a :href="fleet">Fleet</a> <span class="vd-dim">/</span></p><h1>{{ name }} <small v-if="camera?.site" class="vd-dim">{{ camera.site }}</small></h1></div>
    <div v-if="camera" class="vd-row cam-actions">
      <template v-if="may('operator')">
        <button v-if="camera.health === 'paused'" type="button" class="vd-button vd-main" :disabled="busy" aria-keyshortcuts="p" @click="doIt('resume')">Resume</button>
        <button v-else type="button" class="vd-button" :disabled="busy" aria-keyshortcuts="p" @click="pausing = true">Pause</button>
        <button type="button" class="vd-button" :disabled="busy || camera.health === 'paused'" @click="doIt('restart')">Restart</button>
      </template>
      <template v-if="may('admin')"><button type="button" class="vd-button" aria-keyshortcuts="e" @click="changing = true">Settings</button><button type="button" class="vd-button vd-danger" @click="removing = true">Remove</button></template>
    </div>
  </div>

  <div class="cam-now">
    <cam-live :name="name" :camera="camera" :why="why"/>
    <div class="vd-stack">
      <section class="vd-panel cam-how" aria-label="How it is" :class="'vd-' + tone">
        <template v-if="camera">
          <p class="cam-health"><vd-health :health="camera.health"/> <span v-if="camera.since" class="vd-dim">for <vd-for :since="camera.since"/></span></p>
          <p v-if="why">{{ large(why) }}</p>
          <p v-if="camera.doing" class="vd-dim">{{ large(camera.doing) }}.</p>
          <dl class="vd-pairs vd-small">
            <template v-if="camera.since"><dt>Since</dt><dd>{{ clock(camera.since) }}</dd></template>
            <template v-if="camera.blame"><dt>Whose doing</dt><dd>{{ plain(camera.blame) }}</dd></template>
            <dt>Stream</dt><dd>{{ camera.width ? camera.width + "×" + camera.height + ", " : "" }}{{ rate(camera.fps_in) }} fps in, {{ rate(camera.fps_analysed) }}/s analysed</dd>
            <dt>Lag</dt><dd>{{ milliseconds(camera.lag_ms) }} from capture to arrival</dd>
            <dt>Ladder</dt><dd>{{ plain(camera.step) }}; decodes {{ plain(camera.decodes) }}</dd>
            <dt>Sessions</dt><dd>{{ count(camera.sessions) }}, epoch {{ camera.epoch < 0 ? dash : camera.epoch }}<template v-if="camera.last_end_reason">; the last one: {{ plain(camera.last_end_reason) }}</template></dd>
            <dt>Not seen</dt><dd>{{ plural(camera.gaps, "time") }}, {{ duration(camera.blind_s) }} since the start</dd>
            <template v-if="camera.drift"><dt>Detector</dt><dd>{{ camera.drift.word }}<template v-if="camera.drift.why">: {{ camera.drift.why }}</template></dd></template>
            <template v-for="each in camera.accuracy" :key="each.measure"><dt>{{ large(each.measure) }}</dt><dd>{{ each.value === null ? "too few reviewed yet" : percent(each.value) + " (" + percent(each.lower) + " to " + percent(each.upper) + ")" }}, {{ each.frames }} frames<b v-if="each.lost" class="cam-lost"> below its floor</b></dd></template>
          </dl>
        </template>
        <p v-else class="vd-dim">{{ wrong || "Asking…" }}</p>
      </section>
      <section class="vd-panel cam-things" aria-labelledby="cam-things"><header><h2 id="cam-things">Objects now</h2></header>
        <ul v-if="things.length" class="cam-chips"><li v-for="[name, many] in things" :key="name"><b>{{ many }}</b> {{ name }}</li></ul><p v-else class="vd-dim">{{ unseen ? 'Not known: it is not seen.' : 'Nothing in sight.' }}</p>
        <p v-if="tracks.length && !unseen" class="vd-dim vd-small">Tracks: {{ tracks.join(", ") }}</p>
      </section>
    </div>
  </div>

  <cam-timeline :name="name" :happened="happened" :drift="camera?.drift ?? null"/>

  <div class="cam-two">
    <section class="vd-panel" aria-labelledby="cam-age"><header><h2 id="cam-age">Age of results</h2><span class="vd-dim vd-small">since this page is open</span></header><vd-chart label="Age of results in milliseconds" unit="ms" :series="ages" :from="now - seconds" :to="now" :floor="100"/></section>
    <section class="vd-panel" aria-labelledby="cam-rate"><header><h2 id="cam-rate">Results a second</h2><span class="vd-dim vd-small">since this page is open</span></header><vd-chart label="Results a second" unit="/s" :series="rates" :from="now - seconds" :to="now" :floor="5" :digits="1"/></section>
  </div>
  <div class="cam-two">
    <section class="vd-panel" aria-labelledby="cam-stages"><header><h2 id="cam-stages">Where the time goes</h2><span class="vd-dim vd-small">p50, p99, since the node began</span></header>
      <div class="vd-scrolls" tabindex="0" role="group" aria-label="Stages"><table class="vd-plain"><thead><tr><th scope="col">Stage</th><th scope="col" class="vd-num">p50</th><th scope="col" class="vd-num">p99</th><th scope="col"><span class="vd-unseen">Share</span></th></tr></thead>
      <tbody><tr v-for="each in stages" :key="each.name"><th scope="row">{{ each.name }}</th><td class="vd-num">{{ milliseconds(each.p50) }}</td><td class="vd-num">{{ milliseconds(each.p99) }}</td><td class="cam-share"><i :style="{ width: each.wide + '%' }"></i><i class="cam-mid" :style="{ width: each.narrow + '%' }"></i></td></tr></tbody></table></div>
      <p v-if="camera && !stages.length" class="vd-dim">Nothing was measured yet.</p>
    </section>
    <section class="vd-panel" aria-labelledby="cam-frames"><header><h2 id="cam-frames">Frames</h2><span class="vd-dim vd-small">{{ camera ? count(camera.frames?.received) : dash }} received since the start</span></header>
      <div class="cam-outcomes" aria-hidden="true"><i v-for="each in outcomes" :key="each.name" :style="{ flexGrow: each.many, background: 'var(--' + each.tone + ')' }"></i></div>
      <dl class="cam-counts"><div v-for="each in outcomes" :key="each.name"><dt><i :style="{ background: 'var(--' + each.tone + ')' }"></i>{{ each.name }}</dt><dd>{{ count(each.many) }} <small class="vd-dim">{{ percent(each.share, 1) }}</small></dd></div></dl>
      <template v-if="blind.length"><h3>Not seen, by cause</h3><dl class="cam-counts"><div v-for="[cause, seconds] in blind" :key="cause"><dt>{{ plain(cause) }}</dt><dd>{{ duration(seconds) }}</dd></div></dl></template>
    </section>
  </div>
  <div class="cam-two">
    <section class="vd-panel" aria-labelledby="cam-told"><header><h2 id="cam-told">What happened</h2></header>
      <ol v-if="lately.length" class="cam-told" tabindex="0"><li v-for="each in lately" :key="each.number"><time :title="exact(each.at)">{{ clock(each.at) }}</time><span :class="{ error: 'cam-error', warning: 'cam-warning' }[each.level]"><span v-if="each.level !== 'info'" class="vd-unseen">{{ each.level }}: </span>{{ each.text }}</span></li></ol>
      <p v-else class="vd-dim cam-told">Nothing since the node began.</p>
    </section>
    <section class="vd-panel" aria-labelledby="cam-settings"><header><h2 id="cam-settings">Settings</h2><button v-if="camera && may('admin')" type="button" class="vd-quiet" @click="changing = true">Change</button></header>
      <dl class="vd-pairs vd-small"><template v-for="[key, value] in settings" :key="key"><dt>{{ plain(key) }}</dt><dd>{{ value }}</dd></template></dl>
      <p v-if="camera && !settings.length" class="vd-dim">As usual.</p>
    </section>
  </div>

  <vd-pause v-if="pausing" :name="name" @close="pausing = false" @done="again"/>
  <vd-remove v-if="removing" :name="name" @close="removing = false" @done="left"/>
  <vd-camera-dialog v-if="changing" :name="name" :settings="camera.settings" @close="changing = false" @done="again"/>
</div>`,
  data: () => ({ camera: null, wrong: "", gone: false, happened: [], tracks: [], objects: null, ages: [], rates: [], now: now(), busy: false, pausing: false, removing: false, changing: false, dash: DASH, seconds: CHARTS_S }),
  setup: () => ({ node, here }),
  computed: {
    tone() { return this.camera ? healthOf(this.camera.health).tone : "off"; },
    why() { return this.camera ? whyOf(this.camera) : ""; },
    fleet() { return href("/"); },
    gaps() { return href("/gaps", { camera: this.name }); },
    unseen() { return Boolean(this.camera) && !["seen", "degraded"].includes(this.camera.health); },
    things() { return this.unseen ? [] : Object.entries(this.objects ?? this.camera?.objects ?? {}).filter(([, many]) => many).sort(); },
    stages() {
      const all = Object.entries(this.camera?.stages_ms ?? {});
      const most = Math.max(1, ...all.map(([, times]) => times.p99));
      return all.map(([name, times]) => ({ name, p50: times.p50, p99: times.p99, wide: (100 * times.p99) / most, narrow: (100 * times.p50) / most }));
    },
    outcomes() {
      const frames = this.camera?.frames ?? {};
      const all = frames.received || 1;
      return OUTCOMES.map(([name, tone]) => ({ name, tone, many: frames[name] ?? 0, share: (frames[name] ?? 0) / all })).filter((each) => each.many || each.name === "analysed");
    },
    blind() { return Object.entries(this.camera?.blind_by_cause_s ?? {}).filter(([, seconds]) => seconds > 0.5).sort((one, other) => other[1] - one[1]); },
    lately() { return [...this.happened].reverse().slice(0, 50); },
    settings() { return Object.entries(this.camera?.settings ?? {}).filter(([, value]) => value !== null && value !== "").map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)]); },
  },
  created() {
    this.history = new History();
    this.last = 0;
  },
  mounted() {
    this.polling = poll((signal) => ask(cameraPath(this.name), { signal }), {
      every: pace,
      said: (camera) => Object.assign(this, { camera: markRaw(camera), wrong: "", gone: false }),
      refused: (error) => Object.assign(this, { wrong: error.message, gone: error.kind === "not-found" }),
    });
    this.telling = poll((signal) => ask("/happenings", { query: { after: this.last }, signal }), { every: EVERY_HAPPENING_MS, said: (said) => this.told(said), refused: () => {} });
    this.stopListening = listen("/results", { camera: this.name }, { result: (line) => this.result(line) });
    this.timer = setInterval(() => { if (!document.hidden) this.draw(); }, 1000);
    this.takeAway = onKeys({
      p: { says: "pause, or resume", does: () => may("operator") && this.camera && (this.camera.health === "paused" ? this.doIt("resume") : (this.pausing = true)) },
      e: { says: "change its settings", does: () => may("admin") && this.camera && (this.changing = true) },
    }, this.name);
  },
  unmounted() {
    this.polling.stop();
    this.telling.stop();
    this.stopListening();
    clearInterval(this.timer);
    this.takeAway();
  },
  methods: {
    brief, clock, count, duration, exact, may, milliseconds, percent, plain, plural, rate,
    large: (words) => words[0].toUpperCase() + words.slice(1),
    again() { this.polling.now(); },
    left() { go("/"); },
    async doIt(what) {
      this.busy = true;
      await act(this.name, what);
      this.busy = false;
      this.again();
    },
    result({ captured_at, emitted_at, age_ms, detections }) {
      this.history.result(emitted_at ?? captured_at, age_ms ?? 1000 * (now() - captured_at));
      this.newest = { at: captured_at, detections };
    },
    // What came is put on the page once a second, however many results there were.
    draw() {
      this.now = now();
      this.ages = [{ name: "middle", tone: "one", points: this.history.line("p50") }, { name: "worst", tone: "four", points: this.history.line("worst") }];
      this.rates = [{ name: "results", tone: "three", points: this.history.line("results") }];
      if (!this.newest || ticking() - this.newest.at > 5) return void Object.assign(this, { tracks: [], objects: null });
      const objects = {};
      for (const { class_name } of this.newest.detections) objects[class_name] = (objects[class_name] ?? 0) + 1;
      this.objects = objects;
      this.tracks = this.newest.detections.filter(({ track_id }) => track_id !== null && track_id !== undefined && track_id >= 0).map(({ class_name, track_id }) => `${class_name} #${track_id}`);
    },
    // A node that began anew counts from the beginning again.
    told({ happenings, last }) {
      if (last < this.last) Object.assign(this, { happened: [] });
      this.last = last;
      const mine = happenings.filter((each) => each.camera === this.name);
      if (mine.length) this.happened = [...this.happened, ...mine].slice(-500);
    },
  },
};
