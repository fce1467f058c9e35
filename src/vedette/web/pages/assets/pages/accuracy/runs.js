// Validation runs beside each other: each figure with the interval it lies in, and beside that of a chosen run.
import { count, DASH, exact, here, percent, plural, setQuery } from "vedette-pages";
import { Interval } from "./interval.js";

const FIGURES = [["ap", "AP"], ["ap50", "AP50"], ["ap75", "AP75"], ["recall", "Recall"], ["precision", "Precision"]];
const FEW = 8;

export const Runs = {
  components: { AccInterval: Interval },
  props: { told: Object },
  template: `
<section class="vd-panel" aria-labelledby="acc-runs"><header><h2 id="acc-runs">Validation runs</h2><label v-if="sets.length > 1" class="acc-sets"><span class="vd-dim vd-small">Pictures</span><select :value="set" @change="setQuery({ set: $event.target.value, beside: null })"><option v-for="name in sets" :key="name">{{ name }}</option></select></label></header>
  <template v-if="rows.length"><div class="vd-scrolls" tabindex="0" role="group" aria-label="Validation runs"><table class="vd-plain acc-runs"><thead><tr><th scope="col">Run</th><th v-for="[key, name] in figures" :key="key" scope="col">{{ name }}</th><th scope="col">Beside</th></tr></thead>
    <tbody><tr v-for="run in shown" :key="run.id" :class="{ 'acc-chosen': run.id === besideRun?.id }"><th scope="row"><b>{{ run.model.name }}</b><small v-if="run.baseline" class="acc-passed"> baseline</small><br><small class="vd-dim">{{ exact(when(run)) }}<br>{{ count(run.dataset.pictures) }} pictures, {{ count(run.dataset.objects) }} objects</small></th>
      <td v-for="[key] in figures" :key="key"><acc-interval v-if="run.estimates[key]" :value="run.estimates[key].value" :lower="run.estimates[key].low" :upper="run.estimates[key].high"/><template v-else>{{ dash }}</template><br><small v-if="besideRun && run.id !== besideRun.id" :class="tone(run, key)">{{ difference(run, key) }}</small></td>
      <td><button type="button" class="vd-quiet" :aria-pressed="run.id === besideRun?.id" :aria-label="'Compare with ' + run.model.name + ' of ' + exact(when(run))" @click="setQuery({ beside: run.id === besideRun?.id ? null : run.id })">{{ run.id === besideRun?.id ? "chosen" : "choose" }}</button></td></tr></tbody></table></div>
    <p v-if="besideRun" class="vd-dim vd-small">Differences are those of the figures. “Surely” is said only where the intervals do not meet; <code>vedette validate --baseline use</code> draws the same pictures for both, and is surer.</p>
    <button v-if="rows.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + rows.length }}</button></template>
  <p v-else class="vd-dim">{{ told ? "No model was held to labelled pictures yet. See vedette validate." : "Asking…" }}</p>
</section>`,
  data: () => ({ all: false, few: FEW, figures: FIGURES, dash: DASH }),
  setup: () => ({ here }),
  computed: {
    sets() { return [...new Set((this.told?.runs ?? []).map((run) => run.dataset.name))]; },
    set() { return this.sets.includes(here.query.set) ? here.query.set : this.sets[0]; },
    rows() { return (this.told?.runs ?? []).filter((run) => run.dataset.name === this.set); },
    shown() { return this.all ? this.rows : this.rows.slice(0, FEW); },
    besideRun() { return this.rows.find((run) => run.id === here.query.beside) ?? this.rows.find((run) => run.baseline); },
  },
  methods: {
    count, exact, percent, plural, setQuery,
    when: (run) => Date.parse(run.at) / 1000,
    gap(run, key) {
      const mine = run.estimates[key], other = this.besideRun.estimates[key];
      return mine?.value == null || other?.value == null ? null : { by: mine.value - other.value, sure: mine.low > other.high || mine.high < other.low };
    },
    difference(run, key) {
      const gap = this.gap(run, key);
      return gap && `${gap.by >= 0 ? "+" : "−"}${Math.abs(100 * gap.by).toFixed(1)}${gap.sure ? " surely" : ""}`;
    },
    tone(run, key) {
      const gap = this.gap(run, key);
      return gap?.sure ? (gap.by > 0 ? "acc-passed" : "acc-below") : "vd-dim";
    },
  },
};
