// What happened to the camera, on one axis of time.
import { markRaw } from "vue";
import { ask, cameraPath, coverage, here, href, now, poll, setQuery, Timeline } from "vedette-pages";
import { lanes } from "./lanes.js";

const RANGES = { "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800 };
const EVERY_MS = 10_000;

export const CameraTimeline = {
  components: { VdTimeline: Timeline },
  props: { name: String, happened: Array, drift: Object },
  template: `
<section class="vd-panel" aria-labelledby="cam-timeline">
  <header><h2 id="cam-timeline">Timeline</h2><span class="vd-dim" aria-live="polite">{{ covered }}</span>
    <div class="vd-row"><a :href="gaps">Its gaps</a><div class="vd-segments" role="group" aria-label="Period"><button v-for="(length, range) in ranges" :key="range" type="button" :aria-pressed="!zoomed && range === chosen" @click="choose(range)">{{ range }}</button><button v-if="zoomed" type="button" aria-pressed="true" @click="zoomed = null">closer ✕</button></div></div>
  </header>
  <p v-if="missing" class="vd-dim">{{ missing }}</p>
  <vd-timeline v-else :lanes="drawn" :from="from" :to="to" :label="'Timeline of ' + name" @zoom="zoom"/>
</section>`,
  data: () => ({ said: null, missing: "", zoomed: null, ranges: RANGES }),
  computed: {
    chosen() { return RANGES[here.query.time] ? here.query.time : "24h"; },
    to() { return this.zoomed?.[1] ?? this.said?.until ?? now(); },
    from() { return this.zoomed?.[0] ?? this.to - RANGES[this.chosen]; },
    drawn() { return lanes(this.said ?? { watched: [], blind: [], degraded: [], events: [], epochs: [] }, this.happened, this.drift); },
    covered() {
      const parts = this.said?.coverage ?? [];
      const watched = parts.reduce((sum, each) => sum + each.watched_s, 0), seen = parts.reduce((sum, each) => sum + each.seen_s, 0);
      return watched ? `${coverage(seen / watched)} seen` : "";
    },
    gaps() { return href("/gaps", { camera: this.name, since: this.chosen }); },
  },
  watch: { chosen() { this.polling.now(); } },
  created() {
    this.polling = poll((signal) => ask(`${cameraPath(this.name)}/timeline`, { query: { since: this.chosen }, signal }), {
      every: EVERY_MS,
      said: (said) => Object.assign(this, { said: markRaw(said), missing: "" }),
      refused: (error) => { if (!error.silent && !error.away) this.missing = error.message; },
    });
  },
  unmounted() { this.polling.stop(); },
  methods: {
    choose(range) {
      this.zoomed = null;
      setQuery({ time: range === "24h" ? "" : range });
    },
    zoom([from, to]) {
      const length = to - from;
      if (length < 60) return;
      this.zoomed = length >= RANGES[this.chosen] ? null : [from, to];
    },
  },
};
