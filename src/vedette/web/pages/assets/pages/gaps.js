// The ledger: when cameras were not seen, and why; what they had in common; how much of the time they were seen.
import { markRaw } from "vue";
import { ask, cameraHref, clock, count, DASH, duration, exact, here, list, node, now, onKeys, plain, plural, poll, setQuery, Table, withNode } from "vedette-pages";
import { GapFilters } from "./gaps/filters.js";
import { Incidents } from "./gaps/incidents.js";
import { Plot } from "./gaps/plot.js";
import { GapCoverage } from "./gaps/coverage.js";
import { asked, inSite, addressFor, tooMany } from "./gaps/asked.js";

const EVERY_MS = 10_000, MANY_EVERY_MS = 30_000, MANY = 1000;
const AT_FIRST = 1000, AT_MOST = 10_000;

const COLUMNS = [
  { key: "camera", title: "Camera", min: 130, width: "minmax(110px, 1.1fr)", rank: 0 },
  { key: "words", title: "Why", min: 150, width: "minmax(130px, 1.6fr)", rank: 0 },
  { key: "start", title: "From", min: 118, width: "minmax(100px, 1fr)", rank: 1 },
  { key: "end", title: "To", min: 118, width: "minmax(100px, 1fr)", rank: 4 },
  { key: "seconds", title: "For", min: 100, width: "100px", num: true, rank: 1 },
  { key: "kind", title: "Kind", min: 105, width: "105px", rank: 5 },
  { key: "blame", title: "Whose doing", min: 100, width: "110px", rank: 6 },
  { key: "missed", title: "Frames missed", min: 115, width: "115px", num: true, rank: 7 },
  { key: "cut", title: "Tracks cut", min: 90, width: "90px", num: true, rank: 8 },
  { key: "epochs", title: "Epoch", min: 80, width: "80px", num: true, rank: 9 },
];

export default {
  components: { GapFilters, GapIncidents: Incidents, GapPlot: Plot, GapCoverage, VdTable: Table },
  template: `
<div v-if="none" class="vd-empty"><h1>Gaps</h1><p>This node keeps no ledger: what was not seen is not written down. Give it one with <code>ledger:</code> in its configuration.</p></div>
<div v-else class="vd-stack gap">
  <div class="gap-head"><h1>Gaps</h1><p class="vd-dim" aria-live="polite">{{ headline }}</p></div>
  <gap-filters :cameras="cameras" :causes="causes" :sites="sites" :wrong="wrong"/>
  <gap-incidents v-if="incidents.length" :incidents="incidents" :total="incidentsTotal" :now="until"/>
  <section class="vd-panel" aria-labelledby="gap-when"><header><h2 id="gap-when">When</h2><span class="vd-dim vd-small">{{ plural(lanes.length, "camera") }} with something to tell</span></header>
    <gap-plot v-if="lanes.length" :lanes="lanes" :from="from" :to="until" @pick="pick"/>
    <p v-else class="vd-dim gap-nothing">{{ said ? "Nothing was missed in this time." : "Asking…" }}</p>
  </section>
  <gap-coverage :wanted="wantedNames" :site="here.query.site"/>
  <section class="gap-list" aria-labelledby="gap-list"><header class="gap-bar"><h2 id="gap-list">Each of them <span class="vd-dim">{{ said ? count(rows.length) + (total > rows.length && !site ? " of " + count(total) : "") : "" }}</span></h2>
      <span class="gap-exports" role="group" aria-label="Export"><span class="vd-dim vd-small">Export</span><a v-for="each in exports" :key="each.name" class="vd-button" :href="each.href" :download="each.file">{{ each.name }}</a></span></header>
    <vd-table v-if="rows.length" ref="table" label="Gaps" by="id" :rows="rows" :columns="columns" :sort="sort" @sort="arrange" @open="open">
      <template #camera="{ row }"><a :href="cameraHref(row.camera)">{{ row.camera }}</a></template>
      <template #words="{ row }"><span class="gap-why" :title="row.detail || null"><i aria-hidden="true" :class="row.cause === 'paused' ? 'gap-paused' : 'gap-' + row.kind"></i>{{ row.words }}<span v-if="row.detail" class="vd-dim">: {{ row.detail }}</span></span></template>
      <template #start="{ row }"><span :title="exact(row.start)">{{ clock(row.start) }}</span></template>
      <template #end="{ row }"><b v-if="row.end === null" class="gap-open">still open</b><span v-else :title="exact(row.end)">{{ clock(row.end) }}</span></template>
      <template #seconds="{ row }">{{ row.kind === "event" ? "" : duration(row.seconds) }}</template>
      <template #kind="{ row }">{{ kinds[row.kind] }}</template>
      <template #blame="{ row }">{{ plain(row.blame) }}</template>
      <template #missed="{ row }">{{ row.kind === "event" ? "" : count(row.frames_missed) }}</template>
      <template #cut="{ row }">{{ row.tracks_cut || "" }}</template>
      <template #epochs="{ row }">{{ row.epoch_after === null ? "" : (row.epoch_before ?? dash) + " → " + row.epoch_after }}</template>
    </vd-table>
    <p v-else class="vd-panel vd-dim gap-nothing">{{ said ? "No gap as asked for." : "Asking…" }}</p>
    <p v-if="total > gaps.length" class="gap-more"><button v-if="limit < 10000" type="button" class="vd-button" @click="more">Show more</button><span class="vd-dim">{{ count(gaps.length) }} of {{ count(total) }} are shown; exports have all.</span></p>
  </section>
</div>`,
  data: () => ({ said: null, gaps: [], total: 0, incidents: [], incidentsTotal: 0, fleet: [], wrong: "", none: false, limit: AT_FIRST, dash: DASH, columns: COLUMNS, kinds: { blind: "not seen", degraded: "seen badly", event: "event" } }),
  setup: () => ({ node, here }),
  computed: {
    site() { return here.query.site ?? ""; },
    cameras() { return this.fleet.map((each) => each.name); },
    sites() { return [...new Set(this.fleet.map((each) => each.site).filter(Boolean))].sort(); },
    causes() { return [...new Set(this.gaps.map((each) => each.cause))].sort(); },
    wantedNames() { return inSite(here.query, this.fleet); },
    query() { return asked(here.query, this.wantedNames); },
    from() { return this.said?.since ?? now() - 86400; },
    until() { return this.said?.until ?? now(); },
    rows() {
      const values = { camera: (row) => row.camera, words: (row) => row.words, start: (row) => row.start, end: (row) => row.end ?? Infinity, seconds: (row) => row.seconds, kind: (row) => row.kind, blame: (row) => row.blame, missed: (row) => row.frames_missed, cut: (row) => row.tracks_cut, epochs: (row) => row.epoch_after };
      return markRaw(arrangedBy(this.shownGaps, values[this.sort.by] ?? values.start, this.sort.backwards));
    },
    // A site of hundreds is looked for here: an address takes no more names.
    shownGaps() {
      if (!tooMany(this.wantedNames)) return this.gaps;
      const wanted = new Set(this.wantedNames);
      return this.gaps.filter((gap) => wanted.has(gap.camera));
    },
    sort() { return { by: here.query.sort ?? "start", backwards: here.query.order ? here.query.order === "desc" : true }; },
    lanes() { return markRaw(laned(this.shownGaps)); },
    exports() {
      if (tooMany(this.wantedNames)) return [];
      const at = (kind) => ({ name: kind === "parquet" ? "Parquet" : kind.toUpperCase(), file: `gaps.${kind}`, href: addressFor(`/gaps.${kind}`, this.query) });
      return ["csv", "json", "parquet", "svg"].map(at);
    },
    headline() {
      if (!this.said) return this.wrong || "Asking the ledger…";
      const blind = this.shownGaps.filter((gap) => gap.kind === "blind" && gap.cause !== "paused");
      const open = blind.filter((gap) => gap.end === null);
      if (!blind.length) return "Every camera was seen all the time that is looked at.";
      const seconds = blind.reduce((sum, gap) => sum + Math.min(gap.end ?? this.until, this.until) - Math.max(gap.start, this.from), 0);
      const names = [...new Set(open.map((gap) => gap.camera))];
      const still = !names.length ? "none of them is open" : names.length <= 3 ? `${list(names)} ${names.length === 1 ? "is" : "are"} not seen now` : `${names.length} cameras are not seen now`;
      return `${plural(blind.length, "time")} a camera was not seen, ${duration(seconds)} in all; ${still}.`;
    },
  },
  watch: {
    query: { deep: true, handler(now, before) { if (JSON.stringify(now) !== JSON.stringify(before)) this.anew(); } },
  },
  mounted() {
    this.polling = poll((signal) => this.look(signal), {
      every: () => (this.gaps.length > MANY ? MANY_EVERY_MS : EVERY_MS),
      said: (said) => this.told(said),
      refused: (error) => { this.wrong = error.message; if (error.kind === "no-ledger") this.none = true; },
    });
    this.askFleet();
    this.stop = withNode(() => { if (!this.fleet.length) this.askFleet(); });
    this.takeAway = onKeys({
      o: { says: "only what is open", does: () => setQuery({ open: here.query.open ? null : 1 }) },
      x: { says: "to the exports", does: () => document.querySelector(".gap-exports a")?.focus() },
    }, "Gaps");
  },
  unmounted() {
    this.polling.stop();
    this.stop();
    this.takeAway();
  },
  methods: {
    cameraHref, clock, count, duration, exact, plain, plural,
    async look(signal) {
      const query = this.query;
      const [gaps, incidents] = await Promise.all([
        ask("/gaps", { query: { ...query, limit: this.limit }, signal }),
        ask("/incidents", { query: { since: query.since, until: query.until, camera: query.camera, node: query.node, limit: 50 }, signal }),
      ]);
      return { gaps, incidents };
    },
    told({ gaps, incidents }) {
      Object.assign(this, { gaps: markRaw(gaps.gaps), total: gaps.total, said: markRaw({ since: gaps.since, until: gaps.until }), wrong: "", none: false, incidents: markRaw(incidents.incidents), incidentsTotal: incidents.total });
    },
    async askFleet() {
      try {
        this.fleet = markRaw((await ask("/cameras", { query: { sort: "name" } })).cameras.map(({ name, site }) => ({ name, site })));
      } catch { /* filters go without it */ }
    },
    anew() {
      this.limit = AT_FIRST;
      clearTimeout(this.soon);
      this.soon = setTimeout(() => { this.polling.stop(); this.start(); }, 150);
    },
    start() {
      this.polling = poll((signal) => this.look(signal), {
        every: () => (this.gaps.length > MANY ? MANY_EVERY_MS : EVERY_MS), said: (said) => this.told(said), refused: (error) => (this.wrong = error.message),
      });
    },
    more() { this.limit = AT_MOST; this.polling.stop(); this.start(); },
    arrange(by) { setQuery({ sort: by, order: this.sort.by === by && this.sort.backwards ? "asc" : "desc" }); },
    open(row) { setQuery({ camera: here.query.camera === row.camera ? null : row.camera }); },
    pick(name) { setQuery({ camera: here.query.camera === name ? null : name }); },
  },
};

function arrangedBy(rows, value, backwards) {
  const turn = backwards ? -1 : 1;
  const compare = (one, other) => (typeof one === "string" ? one.localeCompare(other, "en", { numeric: true }) : (one ?? -1) - (other ?? -1));
  return [...rows].sort((one, other) => turn * compare(value(one), value(other)) || other.start - one.start);
}

// A lane a camera, the longest not seen first.
function laned(gaps) {
  const lanes = new Map();
  for (const gap of gaps) {
    if (!lanes.has(gap.camera)) lanes.set(gap.camera, { name: gap.camera, gaps: [], blind: 0 });
    const lane = lanes.get(gap.camera);
    lane.gaps.push(gap);
    if (gap.kind === "blind" && gap.cause !== "paused") lane.blind += gap.seconds;
  }
  for (const lane of lanes.values()) lane.gaps.sort((one, other) => one.start - other.start);
  return [...lanes.values()].sort((one, other) => other.blind - one.blind);
}
