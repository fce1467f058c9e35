// What is looked at: all of it is in the address.
import { here, plain, setQuery } from "vedette-pages";

const SPANS = [["1h", "1 hour"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"]];
const KINDS = [["", "all"], ["blind", "not seen"], ["degraded", "seen badly"], ["event", "events"]];

// For a field of the browser's own: local time, to the minute.
function local(at) {
  const when = new Date(at);
  return Number.isNaN(when.getTime()) ? "" : new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export const GapFilters = {
  props: { cameras: Array, causes: Array, sites: Array, wrong: String },
  template: `
<search class="gap-filters">
  <div class="vd-segments" role="group" aria-label="How far back"><button v-for="[span, name] in spans" :key="span" type="button" :aria-pressed="!exactly && since === span" @click="setQuery({ since: span === '24h' ? null : span, until: null })">{{ name }}</button><button type="button" :aria-pressed="exactly" @click="between">From, to</button></div>
  <span v-if="exactly" class="gap-between"><label class="vd-unseen" for="gap-since">From</label><input id="gap-since" type="datetime-local" :value="since" @change="setQuery({ since: $event.target.value })"><span class="vd-dim">to</span><label class="vd-unseen" for="gap-until">To</label><input id="gap-until" type="datetime-local" :value="until" @change="setQuery({ until: $event.target.value })"></span>
  <label class="gap-field"><span>Camera</span><input id="gap-camera" list="gap-cameras" :value="here.query.camera" placeholder="all, or gate_*" autocomplete="off" spellcheck="false" @change="setQuery({ camera: $event.target.value.trim() })"></label><datalist id="gap-cameras"><option v-for="name in cameras" :key="name" :value="name"></option></datalist>
  <label v-if="sites.length" class="gap-field"><span>Site</span><select :value="here.query.site ?? ''" @change="setQuery({ site: $event.target.value })"><option value="">all</option><option v-for="site in sites" :key="site">{{ site }}</option></select></label>
  <label class="gap-field"><span>Why</span><select :value="here.query.cause ?? ''" @change="setQuery({ cause: $event.target.value })"><option value="">anything</option><option v-for="cause in known" :key="cause" :value="cause">{{ plain(cause) }}</option></select></label>
  <label class="gap-field"><span>Kind</span><select :value="here.query.kind ?? ''" @change="setQuery({ kind: $event.target.value })"><option v-for="[kind, name] in kinds" :key="kind" :value="kind">{{ name }}</option></select></label>
  <label v-if="here.query.node" class="gap-field"><span>Node</span><input :value="here.query.node" @change="setQuery({ node: $event.target.value.trim() })"></label>
  <label class="vd-check"><input type="checkbox" :checked="!!here.query.open" @change="setQuery({ open: $event.target.checked ? 1 : null })">still open</label>
  <button v-if="narrowed" type="button" class="vd-quiet" @click="all">Clear</button>
  <p v-if="wrong" class="vd-error gap-wrong" role="alert">{{ wrong }}</p>
</search>`,
  data: () => ({ spans: SPANS, kinds: KINDS, seen: [] }),
  setup: () => ({ here }),
  computed: {
    since() { return here.query.since ?? "24h"; },
    until() { return here.query.until ?? ""; },
    exactly() { return !!here.query.until || !SPANS.some(([span]) => span === this.since); },
    narrowed() { return ["camera", "site", "cause", "kind", "open", "node"].some((name) => here.query[name]); },
    // Those that were seen stay to be chosen while one is.
    known() { return [...new Set([...this.seen, ...(here.query.cause ? [here.query.cause] : [])])].sort(); },
  },
  watch: { causes: { immediate: true, handler(causes) { this.seen = [...new Set([...this.seen, ...causes])]; } } },
  methods: {
    plain, setQuery,
    between() { setQuery({ since: local(Date.now() - 86_400_000), until: local(Date.now()) }); },
    all() { setQuery({ camera: null, site: null, cause: null, kind: null, open: null, node: null }); },
  },
};
