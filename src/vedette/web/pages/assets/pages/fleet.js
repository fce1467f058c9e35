// Is anything wrong, since when, why, and what is being done; then every camera.
import { markRaw } from "vue";
import {
  actions, arranged, ask, CameraDialog, cameraHref, count, Day, DASH, duration, For, go, HEALTH, healthOf, Health, here, href, lastDay, matching, may, Menu,
  milliseconds, node, onKeys, pace, PauseDialog, percent, plural, poll, RemoveDialog, act, setQuery, Table, ticking, typing, watchDay, whyOf,
} from "vedette-pages";
import { COLUMNS, MENU, MOST_FIRST, objectsOf } from "./fleet/columns.js";
import { headline } from "./fleet/headline.js";
import { Problems } from "./fleet/problems.js";
import { Wall } from "./fleet/wall.js";

const ON_A_WALL = 60;
const EMPTY = { cameras: {}, problems: [] };

export default {
  components: { FleetProblems: Problems, FleetWall: Wall, VdCameraDialog: CameraDialog, VdDay: Day, VdFor: For, VdHealth: Health, VdMenu: Menu, VdPause: PauseDialog, VdRemove: RemoveDialog, VdTable: Table },
  template: `
<div class="vd-stack fleet">
  <div v-if="status" class="fleet-top">
    <div class="fleet-headline" :class="'vd-' + told.tone"><h1><svg viewBox="0 0 16 16" aria-hidden="true"><path :d="shape"/></svg>{{ told.sentence }}</h1><p>{{ told.more }}</p></div>
    <dl class="vd-figures">
      <div><dt>Cameras seen</dt><dd>{{ live }} <small>of {{ status.cameras.total }}</small></dd></div>
      <div><dt>Analysed</dt><dd>{{ count(status.analysed_per_s) }} <small>/s</small></dd></div>
      <div><dt>Worst p99 age</dt><dd :class="{ 'fleet-late': late }">{{ milliseconds(status.age_ms.p99 || null) }}<small v-if="late"> late</small></dd></div>
      <div><dt>Not seen today</dt><dd>{{ status.blind_s_today === null ? dash : duration(status.blind_s_today) }}</dd></div>
      <div><dt>CPU of the machine</dt><dd>{{ percent(status.cpu_busy) }} <small>{{ count(status.pss_mb) }} MB</small></dd></div>
      <div class="fleet-model"><dt>Detector</dt><dd :title="status.detector">{{ status.detector || dash }}</dd></div>
    </dl>
    <fleet-problems :problems="status.problems" :total="status.problems_total ?? status.problems.length"/>
  </div>
  <div v-else class="fleet-top fleet-waits"><div class="fleet-headline vd-off"><h1>{{ node.away ? "Nothing is known yet" : "Asking the node…" }}</h1><p>{{ node.away }}&nbsp;</p></div></div>

  <section class="vd-stack" aria-labelledby="fleet-cameras">
    <div class="fleet-bar">
      <h2 id="fleet-cameras">Cameras <span class="vd-dim" aria-live="polite">{{ cameras ? (shown.length === cameras.length ? cameras.length : shown.length + " of " + cameras.length) : "" }}</span></h2>
      <input ref="filter" class="fleet-filter" type="search" aria-label="Filter cameras" aria-keyshortcuts="f" placeholder="Filter by name, site, cause…" :value="here.query.q ?? ''" autocomplete="off" spellcheck="false" @input="setQuery({ q: $event.target.value })" @keydown.esc="clear">
      <div class="fleet-healths" role="group" aria-label="Health"><button v-for="each in healths" :key="each.name" type="button" class="fleet-chip" :class="'vd-' + each.tone" :aria-pressed="wanted.has(each.name)" @click="toggle(each.name)"><vd-health :health="each.name"/> {{ each.many }}</button></div>
      <select v-if="sites.length > 1" class="fleet-site" aria-label="Site" :value="here.query.site ?? ''" @change="setQuery({ site: $event.target.value })"><option value="">All sites</option><option v-for="site in sites" :key="site">{{ site }}</option></select>
      <div class="vd-segments" role="group" aria-label="Show as"><button type="button" :aria-pressed="view === 'wall'" @click="setQuery({ view: 'wall' })">Wall</button><button type="button" :aria-pressed="view === 'table'" @click="setQuery({ view: 'table' })">Table</button></div>
      <button v-if="may('admin')" type="button" class="vd-button vd-main" aria-keyshortcuts="a" @click="adding = true">Add a camera</button>
    </div>
    <p v-if="wrong && !node.away" class="vd-error" role="alert">The list of cameras is not up to date: {{ wrong }}</p>
    <div v-if="cameras && !cameras.length" class="vd-panel vd-empty"><h2>No cameras yet</h2><p>Whatever speaks RTSP, HLS or HTTP can be watched. Results, gaps and pictures appear here.</p><button v-if="may('admin')" type="button" class="vd-button vd-main" @click="adding = true">Add the first one</button></div>
    <div v-else-if="cameras && !shown.length" class="vd-panel vd-empty"><h2>No camera is like that</h2><button type="button" class="vd-button" @click="setQuery({ q: '', health: '', site: '' })">Show all {{ cameras.length }}</button></div>
    <fleet-wall v-else-if="cameras && view === 'wall'" :cameras="onWall" :menus="menus" @menu="openMenu"/>
    <vd-table v-else-if="cameras" ref="table" label="Cameras" :rows="shown" :columns="columns" :sort="sort" :menus="menus" @sort="sortBy" @open="open" @menu="openMenu" @key="rowKey">
      <template #name="{ row }"><a :href="to(row)" tabindex="-1">{{ row.name }}</a></template>
      <template #health="{ row }"><vd-health :health="row.health"/></template>
      <template #since="{ row }"><vd-for :since="row.since" short/></template>
      <template #why="{ row }"><span :title="why(row) + (row.doing ? ' · ' + row.doing : '')">{{ why(row) }}</span></template>
      <template #day="{ row }"><vd-day :name="row.name"/></template>
      <template #menu="{ row }"><button type="button" class="vd-icon" data-menu tabindex="-1" aria-haspopup="menu" :aria-label="'Actions for ' + row.name">⋯</button></template>
    </vd-table>
    <div v-else class="fleet-wall" aria-hidden="true"><div v-for="number in 8" :key="number" class="fleet-thumb fleet-blank"></div></div>
    <p v-if="view === 'wall' && shown.length > onWall.length" class="vd-dim">{{ shown.length - onWall.length }} more: <a :href="asTable">the table has all of them</a>.</p>
  </section>

  <vd-menu v-if="menu" :at="menu.at" :items="items" :label="'Actions for ' + menu.camera.name" @close="menu = null"/>
  <vd-pause v-if="pausing" :name="pausing" @close="pausing = null" @done="again"/>
  <vd-remove v-if="removing" :name="removing" @close="removing = null" @done="again"/>
  <vd-camera-dialog v-if="adding" @close="adding = false" @done="added"/>
</div>`,
  data: () => ({ cameras: null, wrong: "", menu: null, pausing: null, removing: null, adding: false, dash: DASH }),
  setup: () => ({ node, here }),
  computed: {
    status() { return node.status; },
    told() { return headline(node.status ?? EMPTY, ticking()); },
    shape() { return { bad: "M8 1 15 8 8 15 1 8Z M5.4 5.4 10.6 10.6 M10.6 5.4 5.4 10.6", poor: "M8 1.5 15 14H1Z M8 6v4 M8 12v.2", good: "M8 2a6 6 0 1 0 .01 0Z M5.2 8.2l2 2 3.6-4" }[this.told.tone] ?? "M8 2a6 6 0 1 0 .01 0Z"; },
    live() { return (this.status.cameras.seen ?? 0) + (this.status.cameras.degraded ?? 0); },
    late() { return this.status.max_age_ms && this.status.age_ms.p99 > this.status.max_age_ms; },
    menus() { return may("operator"); },
    wanted() { return new Set((here.query.health ?? "").split(",").filter(Boolean)); },
    healths() {
      const many = {};
      for (const camera of this.cameras ?? []) many[camera.health] = (many[camera.health] ?? 0) + 1;
      return Object.keys(HEALTH).filter((name) => many[name] || this.wanted.has(name)).map((name) => ({ name, tone: healthOf(name).tone, many: many[name] ?? 0 }));
    },
    sites() { return [...new Set((this.cameras ?? []).map((camera) => camera.site).filter(Boolean))].sort(); },
    view() { return here.query.view ?? ((this.cameras?.length ?? 0) > ON_A_WALL ? "table" : "wall"); },
    sort() {
      const [by, way] = (here.query.sort ?? "health").split(":");
      return { by, backwards: way === "desc" };
    },
    columns() { return [...COLUMNS.filter(({ key }) => (key !== "day" || lastDay.known) && (key !== "site" || this.sites.length)), ...(this.menus ? [MENU] : [])]; },
    found() {
      let rows = this.cameras ?? [];
      if (this.wanted.size) rows = rows.filter((row) => this.wanted.has(row.health));
      if (here.query.site) rows = rows.filter((row) => row.site === here.query.site);
      return matching(rows, here.query.q ?? "", (row) => `${row.name} ${row.site} ${row.health} ${healthOf(row.health).word} ${whyOf(row)} ${row.blame ?? ""} ${row.step} ${objectsOf(row)}`);
    },
    // By name first, so that equal ones keep their places; those known longest to be wrong before others.
    shown() {
      const { by, backwards } = this.sort;
      const named = arranged(this.found, (row) => row.name);
      if (by === "name") return backwards ? named.reverse() : named;
      const rows = by === "health" ? arranged(named, (row) => row.since) : named;
      return arranged(rows, COLUMNS.find((column) => column.key === by)?.value ?? COLUMNS[2].value, backwards);
    },
    onWall() { return this.shown.slice(0, ON_A_WALL); },
    asTable() { return href("/", { ...here.query, view: "table" }); },
    items() {
      const { camera } = this.menu;
      return [{ name: "Open", does: () => this.open(camera) }, ...actions(camera, { pause: () => (this.pausing = camera.name), remove: () => (this.removing = camera.name) })];
    },
  },
  mounted() {
    this.polling = poll((signal) => ask("/cameras", { signal }), {
      every: pace,
      said: ({ cameras }) => Object.assign(this, { cameras: markRaw(cameras), wrong: "" }),
      refused: (error) => (this.wrong = error.message),
    });
    this.leaveDay = watchDay();
    this.takeAway = onKeys({
      f: { says: "filter the cameras", does: () => this.$refs.filter.focus() },
      w: { says: "wall or table", does: () => setQuery({ view: this.view === "wall" ? "table" : "wall" }) },
      a: { says: "add a camera", does: () => may("admin") && (this.adding = true) },
    }, "Fleet");
    this.takeRows = onKeys({ "ArrowDown ArrowUp": { says: "choose a camera of the table" }, Enter: { says: "open it" }, m: { says: "what can be done with it" }, p: { says: "pause it, or go on" } }, "In the table");
  },
  unmounted() {
    this.polling.stop();
    this.leaveDay();
    this.takeAway();
    this.takeRows();
  },
  methods: {
    count, duration, may, milliseconds, percent, plural, setQuery, why: whyOf,
    to: (row) => href(cameraHref(row.name)),
    open(row) { go(cameraHref(row.name)); },
    again() { this.polling.now(); },
    toggle(name) {
      const wanted = new Set(this.wanted);
      if (!wanted.delete(name)) wanted.add(name);
      setQuery({ health: [...wanted].join(",") });
    },
    clear(event) {
      if (here.query.q) setQuery({ q: "" });
      else event.target.blur();
    },
    sortBy(key) {
      const first = MOST_FIRST.has(key);
      const backwards = this.sort.by === key ? !this.sort.backwards : first;
      setQuery({ sort: `${key}${backwards ? ":desc" : ""}` });
    },
    openMenu(camera, at, back = null) { this.menu = { camera, at: at.isConnected ? at : back }; },
    rowKey(event, row) {
      if (event.key !== "p" || !row || !this.menus) return;
      event.preventDefault();
      if (row.health === "paused") act(row.name, "resume").then(() => this.again());
      else this.pausing = row.name;
    },
    added(name) {
      this.again();
      if (typing(document.activeElement)) document.activeElement.blur();
      setQuery({ q: "", health: "", site: "" });
    },
  },
};
