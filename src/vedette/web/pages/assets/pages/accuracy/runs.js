// Validation runs beside each other: each figure with the interval it lies in, and what lies between it and that of a
// chosen run, on the pictures that both looked at.
import { markRaw } from "vue";
import { ask, count, DASH, exact, here, setQuery } from "vedette-pages";
import { Difference, Interval } from "./interval.js";

const FIGURES = [["ap", "AP"], ["ap50", "AP50"], ["ap75", "AP75"], ["recall", "Recall"], ["precision", "Precision"]];
const FEW = 8;
const LEAST_SCALE = 0.05;
const PATIENCE_MS = 120_000; // of large sets

export const Runs = {
  components: { AccDifference: Difference, AccInterval: Interval },
  props: { told: Object },
  template: `
<section class="vd-panel" aria-labelledby="acc-runs"><header><h2 id="acc-runs">Validation runs</h2><label v-if="sets.length > 1" class="acc-sets"><span class="vd-dim vd-small">Pictures</span><select :value="set" @change="setQuery({ set: $event.target.value, beside: null })"><option v-for="name in sets" :key="name">{{ name }}</option></select></label><span v-else-if="set" class="vd-dim vd-small">on {{ set }}</span></header>
  <template v-if="rows.length"><p v-if="besideRun" class="vd-dim vd-small acc-beside">Below each figure: what lies between it and that of <b>{{ besideRun.model.name }}</b> of {{ exact(when(besideRun)) }}, in points, on the very same pictures; with the interval that holds in 95%.</p>
    <div class="vd-scrolls" tabindex="0" role="group" aria-label="Validation runs"><table class="vd-plain acc-runs"><thead><tr><th scope="col">Run</th><th v-for="[key, name] in figures" :key="key" scope="col">{{ name }}</th><th scope="col">Compare with</th></tr></thead>
    <tbody><tr v-for="run in shown" :key="run.id" :class="{ 'acc-chosen': run.id === besideRun?.id }"><th scope="row"><b>{{ run.model.name }}</b><small v-if="run.baseline" class="acc-passed"> baseline</small><br><small class="vd-dim">{{ exact(when(run)) }}<br>{{ count(run.dataset.pictures) }} pictures, {{ count(run.dataset.objects) }} objects</small>
        <template v-if="pair(run)"><small v-if="pair(run).why" class="acc-remark"><br>Not compared: {{ pair(run).why }}</small><small v-for="each in pair(run).remarks" :key="each" class="acc-remark"><br>{{ each }}</small></template></th>
      <td v-for="[key] in figures" :key="key"><acc-interval v-if="run.estimates[key]" :value="run.estimates[key].value" :lower="run.estimates[key].low" :upper="run.estimates[key].high"/><template v-else>{{ dash }}</template>
        <template v-if="besideRun && run.id !== besideRun.id"><acc-difference v-if="less(run, key)" :value="less(run, key).value" :lower="less(run, key).low" :upper="less(run, key).high" :most="scale"/><small v-else-if="!pair(run)" class="vd-dim acc-difference">comparing…</small></template></td>
      <td><button type="button" class="vd-quiet" :aria-pressed="run.id === besideRun?.id" :aria-label="(run.id === besideRun?.id ? 'this one: ' : 'choose: ') + run.model.name + ' of ' + exact(when(run))" @click="setQuery({ beside: run.id === besideRun?.id ? null : run.id })">{{ run.id === besideRun?.id ? "this one" : "choose" }}</button></td></tr></tbody></table></div>
    <button v-if="rows.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + rows.length }}</button></template>
  <p v-else class="vd-dim">{{ told ? "No model was held to labelled pictures yet. See vedette validate." : "Asking…" }}</p>
</section>`,
  // pairs: what came of comparing two runs, by both their ids; a run does not change any more.
  data: () => ({ all: false, few: FEW, figures: FIGURES, dash: DASH, pairs: {} }),
  setup: () => ({ here }),
  computed: {
    sets() { return [...new Set((this.told?.runs ?? []).map((run) => run.dataset.name))]; },
    set() { return this.sets.includes(here.query.set) ? here.query.set : this.sets[0]; },
    rows() { return (this.told?.runs ?? []).filter((run) => run.dataset.name === this.set); },
    shown() { return this.all ? this.rows : this.rows.slice(0, FEW); },
    besideRun() { return this.rows.find((run) => run.id === here.query.beside) ?? this.rows.find((run) => run.baseline); },
    wanted() { return this.besideRun ? this.shown.filter((run) => run !== this.besideRun).map((run) => [run.id, this.besideRun.id]) : []; },
    // The same for all that are shown.
    scale() {
      const found = this.shown.flatMap((run) => Object.values(this.pair(run)?.differences ?? {}));
      return Math.max(LEAST_SCALE, ...found.flatMap(({ value, low, high }) => [value, low, high].map((each) => Math.abs(each ?? 0))));
    },
  },
  watch: { wanted: { immediate: true, handler() { this.compare(); } } },
  unmounted() { this.gone = true; },
  methods: {
    count, exact, setQuery,
    when: (run) => Date.parse(run.at) / 1000,
    pair(run) { return this.besideRun && this.pairs[`${run.id} ${this.besideRun.id}`]; },
    less(run, key) {
      const found = this.pair(run)?.differences[key];
      return found && found.value !== null ? found : null;
    },
    // One after the other, since each takes a while; what is wanted may be another by then.
    async compare() {
      if (this.comparing) return;
      this.comparing = true;
      for (let next; !this.gone && (next = this.wanted.find(([run, beside]) => !this.pairs[`${run} ${beside}`])); ) {
        const [run, beside] = next;
        try {
          this.pairs[`${run} ${beside}`] = markRaw(await ask(`/validation/${run}/compared`, { query: { beside }, patience: PATIENCE_MS }));
        } catch (error) {
          if (error.silent) break; // asked again with the next look at the runs
          this.pairs[`${run} ${beside}`] = { differences: {}, remarks: [], why: error.message };
        }
      }
      this.comparing = false;
    },
  },
};
