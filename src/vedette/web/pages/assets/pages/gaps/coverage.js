// How much of the time each camera was seen, by hour or day, and which fall below what somebody wants.
import { markRaw } from "vue";
import { addressOf, arranged, ask, cameraHref, clock, count, coverage, day, DASH, duration, gradient, here, plain, plural, poll, remembered, setQuery, Table } from "vedette-pages";

const EVERY_MS = 60_000;
const COLUMNS = [
  { key: "name", title: "Camera", min: 130, width: "minmax(110px, 1fr)", rank: 0 },
  { key: "share", title: "Seen", min: 80, width: "80px", num: true, rank: 0 },
  { key: "strip", title: "When", min: 180, width: "minmax(130px, 3fr)", rank: 1, sorts: false },
  { key: "worst", title: "Worst", min: 150, width: "170px", rank: 3 },
];

export const GapCoverage = {
  components: { VdTable: Table },
  props: { wanted: Array, site: String },
  template: `
<section class="gap-cover" aria-labelledby="gap-cover"><header class="gap-bar"><h2 id="gap-cover">Coverage <span v-if="said" class="vd-dim">{{ below }} of {{ plural(rows.length, "camera") }} below {{ threshold }}%<template v-if="upTo">, up to {{ clock(upTo) }}</template></span></h2>
    <div class="vd-segments" role="group" aria-label="Coverage by"><button v-for="each in ['hour', 'day']" :key="each" type="button" :aria-pressed="by === each" @click="setQuery({ by: each === usual ? null : each })">by {{ each }}</button></div>
    <label class="gap-field gap-threshold"><span>Below</span><input type="number" min="0" max="100" step="0.1" :value="threshold" @change="wants($event.target.value)"><span>%</span></label>
    <label class="vd-check"><input type="checkbox" :checked="!!here.query.below" @change="setQuery({ below: $event.target.checked ? 1 : null })">only those</label>
    <a class="vd-button" :href="csv" download="coverage.csv">CSV</a></header>
  <template v-if="shown.length"><div class="gap-some" :class="{ 'gap-few': !all }"><vd-table label="Coverage" :rows="all ? shown : shown.slice(0, few)" :columns="columns" :sort="sort" @sort="arrange" @open="(row) => setQuery({ camera: row.name })">
    <template #name="{ row }"><a :href="cameraHref(row.name)">{{ row.name }}</a></template>
    <template #share="{ row }"><b v-if="row.low" class="gap-open"><span class="vd-unseen">below: </span>{{ percent(row.share) }}</b><template v-else>{{ percent(row.share) }}</template></template>
    <template #strip="{ row }"><span class="vd-strip" role="img" :aria-label="row.says" :style="{ backgroundImage: row.image }" @pointermove="point($event, row)" @pointerleave="pointed = ''"></span></template>
    <template #worst="{ row }">{{ row.worst }}</template>
  </vd-table></div>
  <p class="gap-foot"><button v-if="shown.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + count(shown.length) }}</button><span class="vd-small vd-dim">{{ pointed }}</span></p></template>
  <p v-else class="vd-panel vd-dim gap-nothing">{{ !said ? wrong || "Asking…" : rows.length ? "No camera is below " + threshold + "%." : "No camera was watched in this time." }}</p>
</section>`,
  data: () => ({ said: null, wrong: "", all: false, few: 8, pointed: "", sort: { by: "share", backwards: false }, columns: COLUMNS, least: Number(remembered.get("gap-threshold")) || 99 }),
  setup: () => ({ here }),
  computed: {
    span() { return here.query.since ?? "24h"; },
    usual() { return /^(\d+h|today|yesterday)$/.test(this.span) ? "hour" : "day"; },
    by() { return here.query.by ?? this.usual; },
    threshold() { return Number(here.query.threshold) || this.least; },
    query() { return { since: this.span, until: here.query.until || "now", by: this.by, camera: here.query.camera || null, node: here.query.node || null }; },
    csv() { return this.address("/coverage.csv", this.query); },
    rows() {
      if (!this.said) return [];
      const wanted = this.wanted && new Set(this.wanted);
      const found = [...this.said.cameras].filter(([name]) => !wanted || wanted.has(name)).map(([name, each]) => this.row(name, each));
      return markRaw(found);
    },
    upTo() { return this.said?.edges?.at(-1); },
    below() { return this.rows.filter((row) => row.low).length; },
    shown() {
      const rows = here.query.below ? this.rows.filter((row) => row.low) : this.rows;
      return markRaw(arranged(rows, (row) => (this.sort.by === "worst" ? row.least : row[this.sort.by]), this.sort.backwards));
    },
  },
  watch: { query(now, before) { if (JSON.stringify(now) !== JSON.stringify(before)) this.start(); } },
  mounted() { this.start(); },
  unmounted() { this.polling.stop(); },
  methods: {
    cameraHref, clock, count, plural, setQuery, percent: coverage,
    address: addressOf,
    start() {
      this.polling?.stop();
      this.polling = poll((signal) => this.look(signal), { every: EVERY_MS, said: (said) => Object.assign(this, { said: markRaw(said), wrong: "" }), refused: (error) => (this.wrong = error.message) });
    },
    // Of a time up to now, and of all cameras, there is a small answer.
    async look(signal) {
      const { since, until, by, camera, node } = this.query;
      if (until === "now" && !camera && !node) return fromStrips(await ask("/coverage/strips", { query: { since, by }, signal }));
      return fromRows(await ask("/coverage", { query: this.query, signal }));
    },
    row(name, { shares, total }) {
      const edges = this.said.edges, limit = this.threshold / 100;
      const spans = shares.map((share, index) => ({ start: edges[index], end: edges[index + 1], tone: share === null ? "none" : share < 0 ? "rest" : share < limit ? "blind" : share < 1 ? "weak" : "seen" }));
      const known = shares.map((share, index) => [share, index]).filter(([share]) => share !== null && share >= 0);
      const [least, index] = known.length ? known.reduce((worst, each) => (each[0] < worst[0] ? each : worst)) : [null, 0];
      const under = known.filter(([share]) => share < limit).length;
      return {
        name, share: total, low: total !== null && total < limit, least, shares, image: gradient(spans, edges[0], edges.at(-1), "none"),
        worst: least === null || least >= 1 ? DASH : `${coverage(least)}, ${this.bucket(index)}`,
        says: total === null ? "not watched" : `${coverage(total)} seen; ${plural(under, this.by)} below ${this.threshold}%`,
      };
    },
    bucket(index) { return this.by === "day" ? day(this.said.edges[index]) : clock(this.said.edges[index], undefined, false); },
    point(event, row) {
      const place = event.target.getBoundingClientRect(), edges = this.said.edges;
      const at = edges[0] + ((event.clientX - place.left) / place.width) * (edges.at(-1) - edges[0]);
      const index = Math.max(0, edges.findLastIndex((edge) => edge <= at));
      const share = row.shares[Math.min(index, row.shares.length - 1)];
      this.pointed = `${row.name}, ${this.bucket(index)}: ${share === null || share === undefined ? "not watched" : share < 0 ? "not known" : `${coverage(share)} seen`}`;
    },
    wants(value) {
      const least = Math.min(100, Math.max(0, Number(value) || 0));
      remembered.set("gap-threshold", least);
      this.least = least;
      setQuery({ threshold: null });
    },
    arrange(by) { this.sort = { by, backwards: this.sort.by === by && !this.sort.backwards }; },
  },
};

function fromStrips({ edges, shares, day }) {
  const cameras = new Map();
  for (const [name, each] of Object.entries(shares)) cameras.set(name, { shares: each.map((share) => (share === -1 ? null : share < 0 ? -1 : share / 1000)), total: day[name] });
  return { edges, cameras };
}

function fromRows({ coverage: rows, since, until }) {
  const starts = [...new Set(rows.map((row) => row.start))].sort((one, other) => one - other);
  const place = new Map(starts.map((start, index) => [start, index]));
  const cameras = new Map();
  for (const row of rows) {
    if (!cameras.has(row.camera)) cameras.set(row.camera, { shares: starts.map(() => null), seen: 0, watched: 0 });
    const camera = cameras.get(row.camera);
    camera.shares[place.get(row.start)] = row.share ?? (row.unknown_s ? -1 : null);
    camera.seen += row.seen_s;
    camera.watched += row.watched_s;
  }
  for (const camera of cameras.values()) camera.total = camera.watched ? camera.seen / camera.watched : null;
  return { edges: starts.length ? [...starts, until] : [since, until], cameras };
}
